import { Link, useNavigate } from "@tanstack/react-router";
import { AppWindow, EllipsisVertical, Info, ScrollText } from "lucide-react";
import { lazy, memo, Suspense, useState } from "react";
import { useFigure, useIsAdmin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { appearance, needsAttention, reason } from "@/parts/appearance";
import { Meter } from "@/parts/Meter";
import { PluginIcon } from "@/parts/PluginIcon";
import { PluginSwitch } from "@/parts/PluginSwitch";
import { StatePill } from "@/parts/StateMark";
import { useWish, wishLook } from "@/parts/wishes";
import { Button, IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { bytes, count, percent } from "@/ui/format";
import { Menu } from "@/ui/Menu";
import { words } from "@/words";
import css from "./PluginList.module.css";

const WhyDialog = lazy(() => import("./WhyDialog"));

/** A line of the table; on a narrow screen a card. */
export const PluginRow = memo(function PluginRow({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const why = reason(plugin);
  const isOff = !plugin.enabled;
  const [isAsked, setAsked] = useState(false);
  return (
    <div role="row" className={css["row"]} data-plugin={plugin.id} data-state={plugin.state}>
      <div role="cell" className={css["plugin"]}>
        <PluginIcon icon={plugin.icon} name={plugin.name} isDimmed={isOff} />
        <div className={css["names"]}>
          <Link to="/plugins/$id" params={{ id: plugin.id }} className={css["name"]}>
            {plugin.name}
          </Link>
          <span className={css["detail"]}>
            {[plugin.version, plugin.author && words.plugins.by(plugin.author)].filter(Boolean).join(" · ")}
          </span>
        </div>
      </div>
      <div role="cell" className={css["state"]}>
        <StatePill plugin={plugin} />
        {why !== null && <span className={css["why"]}>{why}</span>}
        {isAdmin && why !== null && needsAttention(plugin) && (
          <Button
            kind="quiet"
            size="small"
            className={css["ask"]}
            aria-label={words.plugins.whyButton(plugin.name)}
            onPress={() => setAsked(true)}
          >
            {words.plugins.why}
          </Button>
        )}
        {isAsked && (
          <Suspense fallback={null}>
            <WhyDialog plugin={plugin} onClose={() => setAsked(false)} />
          </Suspense>
        )}
      </div>
      <Usage plugin={plugin} />
      <div role="cell" className={classes(css["number"], css["restarts"])}>
        <span className={css["name-of-number"]}>{words.plugins.restarts} </span>
        {plugin.restarts > 0 ? count(plugin.restarts) : <span className={css["nothing"]}>0</span>}
      </div>
      <div role="cell" className={css["switch"]}>
        {isAdmin && <PluginSwitch plugin={plugin} />}
      </div>
      <div role="cell" className={css["actions"]}>
        {isAdmin && <QuickWish plugin={plugin} />}
        <RowMenu plugin={plugin} />
      </div>
    </div>
  );
});

function Usage({ plugin }: { readonly plugin: LivePlugin }) {
  const figure = useFigure(plugin.id);
  const memory = plugin.pid === null ? null : (figure?.memory_bytes ?? plugin.memory_bytes);
  const cpu = figure?.cpu_percent ?? null;
  return (
    <>
      <div role="cell" className={classes(css["number"], css["memory"])}>
        {memory === null ? (
          <span className={css["nothing"]}>{words.unknown}</span>
        ) : (
          <Meter
            label={words.plugins.memoryOf(plugin.name)}
            text={bytes(memory)}
            value={memory}
            most={plugin.limits.memory_bytes}
          />
        )}
      </div>
      <div role="cell" className={classes(css["number"], css["cpu"])} data-name={words.plugins.cpu}>
        {cpu === null ? <span className={css["nothing"]}>{words.unknown}</span> : percent(cpu)}
      </div>
    </>
  );
}

/** The one thing that is most likely wanted, without a menu. */
function QuickWish({ plugin }: { readonly plugin: LivePlugin }) {
  const wish = useWish(plugin);
  const first = appearance(plugin).wishes[0];
  if (first === undefined || plugin.state === "running" || plugin.state === "starting") return null;
  const { label, icon } = wishLook(first, plugin);
  return (
    <Button
      size="small"
      isPending={wish.isPending}
      onPress={() => wish.mutate(first)}
      aria-label={`${label} ${plugin.name}`}
    >
      {icon}
      {label}
    </Button>
  );
}

function RowMenu({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const navigate = useNavigate();
  const wish = useWish(plugin);
  const params = { id: plugin.id };
  const wishes = isAdmin ? appearance(plugin).wishes : [];
  return (
    <Menu
      label={words.plugins.actionsOf(plugin.name)}
      actions={[
        ...(plugin.enabled
          ? [
              {
                id: "open",
                label: words.plugin.open,
                icon: <AppWindow aria-hidden />,
                onAction: () => void navigate({ to: "/view/$id/$", params: { ...params, _splat: "" } }),
              },
            ]
          : []),
        {
          id: "details",
          label: words.plugin.details,
          icon: <Info aria-hidden />,
          onAction: () => void navigate({ to: "/plugins/$id", params }),
        },
        ...(isAdmin
          ? [
              {
                id: "logs",
                label: words.plugin.tabs.logs,
                icon: <ScrollText aria-hidden />,
                onAction: () => void navigate({ to: "/plugins/$id/logs", params }),
              },
            ]
          : []),
        ...wishes.map((each) => ({
          id: each,
          ...wishLook(each, plugin),
          isDisabled: wish.isPending,
          onAction: () => wish.mutate(each),
        })),
      ]}
    >
      <IconButton label={words.plugins.actionsOf(plugin.name)}>
        <EllipsisVertical aria-hidden />
      </IconButton>
    </Menu>
  );
}
