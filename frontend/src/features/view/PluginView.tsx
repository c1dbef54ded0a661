import { getRouteApi, Link } from "@tanstack/react-router";
import { Info, Moon, PackageX, ScrollText } from "lucide-react";
import { useEffect } from "react";
import { useIsAdmin, usePlugin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { appearance, reason } from "@/parts/appearance";
import { PluginSwitch } from "@/parts/PluginSwitch";
import { StatePill } from "@/parts/StateMark";
import { useWish, wishLook } from "@/parts/wishes";
import { Button, buttonClasses } from "@/ui/Button";
import { Notice, Skeleton } from "@/ui/notices";
import { words } from "@/words";
import css from "./PluginView.module.css";
import { Stage } from "./Stage";

const route = getRouteApi("/view/$id/$");

/** A plugin's own page, in the place of one of ours. */
export default function PluginView() {
  const { id } = route.useParams();
  const plugin = usePlugin(id);
  useEffect(() => {
    document.title = `${plugin?.name ?? id} · Toru`;
  }, [plugin?.name, id]);
  if (plugin === undefined) return <Skeleton lines={6} />;
  if (plugin === null) {
    return (
      <Notice icon={<PackageX aria-hidden />} title={words.plugin.notFound} actions={<ToPlugins />}>
        {words.plugin.notFoundHint}
      </Notice>
    );
  }
  return (
    <div className={css["view"]}>
      <Head plugin={plugin} />
      {plugin.enabled ? <Stage key={id} plugin={plugin} /> : <Disabled plugin={plugin} />}
    </div>
  );
}

/** Whose page it is, and, where it doesn't do well, why, with a way to its logs. */
function Head({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const wish = useWish(plugin);
  const why = reason(plugin);
  const isUnwell = plugin.health !== "healthy";
  const first = isUnwell && isAdmin ? appearance(plugin).wishes[0] : undefined;
  return (
    <header className={css["head"]} data-unwell={isUnwell}>
      <h1 className={css["title"]}>{plugin.name}</h1>
      {(isUnwell || plugin.state !== "running") && <StatePill plugin={plugin} />}
      <p className={css["why"]} role="status">
        {isUnwell && why}
      </p>
      {first !== undefined && (
        <Button size="small" isPending={wish.isPending} onPress={() => wish.mutate(first)}>
          {wishLook(first, plugin).icon}
          {wishLook(first, plugin).label}
        </Button>
      )}
      {isAdmin && (
        <Link to="/plugins/$id/logs" params={{ id: plugin.id }} className={buttonClasses("quiet", "small")}>
          <ScrollText aria-hidden />
          {words.plugin.tabs.logs}
        </Link>
      )}
      <Link to="/plugins/$id" params={{ id: plugin.id }} className={buttonClasses("quiet", "small")}>
        <Info aria-hidden />
        {words.plugin.details}
      </Link>
    </header>
  );
}

function Disabled({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  return (
    <Notice
      icon={<Moon aria-hidden />}
      title={words.view.disabled}
      actions={isAdmin ? <PluginSwitch plugin={plugin} /> : <ToPlugins />}
    >
      {reason(plugin) ?? words.view.disabledHint}
    </Notice>
  );
}

function ToPlugins() {
  return (
    <Link to="/plugins" className={buttonClasses()}>
      {words.plugin.toPlugins}
    </Link>
  );
}
