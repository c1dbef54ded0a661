import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { AppWindow, PackageX } from "lucide-react";
import { useIsAdmin, usePlugin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { appearance, reason } from "@/parts/appearance";
import { PluginIcon } from "@/parts/PluginIcon";
import { PluginSwitch } from "@/parts/PluginSwitch";
import { StatePill } from "@/parts/StateMark";
import { useWish, wishLook } from "@/parts/wishes";
import { Button, buttonClasses } from "@/ui/Button";
import { Notice, Skeleton } from "@/ui/notices";
import { Page } from "@/ui/page";
import { type Tab, Tabs } from "@/ui/Tabs";
import { words } from "@/words";
import css from "./PluginPage.module.css";

const route = getRouteApi("/plugins/$id");

/** Everything about one plugin but its own page. */
export default function PluginPage() {
  const { id } = route.useParams();
  const plugin = usePlugin(id);
  if (plugin === undefined) return <Skeleton lines={6} />;
  if (plugin === null) {
    return (
      <Page title={id}>
        <Notice
          icon={<PackageX aria-hidden />}
          title={words.plugin.notFound}
          actions={
            <Link to="/plugins" className={buttonClasses()}>
              {words.plugin.toPlugins}
            </Link>
          }
        >
          {words.plugin.notFoundHint}
        </Notice>
      </Page>
    );
  }
  return <Found key={id} plugin={plugin} />;
}

function Found({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const why = reason(plugin);
  const params = { id: plugin.id };
  const tabs: Tab[] = [
    { label: words.plugin.tabs.status, link: { to: "/plugins/$id", params }, isIndex: true },
    { label: words.plugin.tabs.runs, link: { to: "/plugins/$id/runs", params } },
    { label: words.plugin.tabs.logs, link: { to: "/plugins/$id/logs", params } },
    { label: words.plugin.tabs.events, link: { to: "/plugins/$id/events", params } },
    { label: words.plugin.tabs.units, link: { to: "/plugins/$id/units", params } },
    { label: words.plugin.tabs.storage, link: { to: "/plugins/$id/storage", params } },
  ];
  return (
    <Page
      title={plugin.name}
      icon={<PluginIcon icon={plugin.icon} name={plugin.name} size="large" isDimmed={!plugin.enabled} />}
      lead={
        <span className={css["lead"]}>
          <StatePill plugin={plugin} />
          {why !== null && <span>{why}</span>}
        </span>
      }
      actions={<Actions plugin={plugin} />}
      isWide
    >
      {isAdmin && <Tabs label={words.plugin.tabsLabel} tabs={tabs} />}
      <div className={css["tab"]}>
        <Outlet />
      </div>
    </Page>
  );
}

function Actions({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const wish = useWish(plugin);
  return (
    <>
      {isAdmin &&
        appearance(plugin).wishes.map((each) => {
          const { label, icon } = wishLook(each, plugin);
          return (
            <Button key={each} isPending={wish.isPending && wish.variables === each} onPress={() => wish.mutate(each)}>
              {icon}
              {label}
            </Button>
          );
        })}
      {plugin.enabled && (
        <Link to="/view/$id/$" params={{ id: plugin.id, _splat: "" }} className={buttonClasses("primary")}>
          <AppWindow aria-hidden />
          {words.plugin.open}
        </Link>
      )}
      {isAdmin && <PluginSwitch plugin={plugin} />}
    </>
  );
}
