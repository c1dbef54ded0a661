import { Link } from "@tanstack/react-router";
import { Blocks } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import { useIsAdmin, usePlugins, useRejected } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { appearance, type Glyph, needsAttention, reason, type Tone } from "@/parts/appearance";
import { NotYet } from "@/parts/NotYet";
import { PluginIcon } from "@/parts/PluginIcon";
import { StateGlyph, StatePill } from "@/parts/StateMark";
import { useWish, wishLook } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { count } from "@/ui/format";
import { Notice, Skeleton } from "@/ui/notices";
import { Page, Section } from "@/ui/page";
import { words } from "@/words";
import { Busiest } from "./Busiest";
import { HostFigures } from "./HostFigures";
import { LastEvents } from "./LastEvents";
import css from "./Overview.module.css";

const TotalCharts = lazy(() => import("./TotalCharts"));

/** How all of it does, at a glance. */
export default function Overview() {
  const plugins = usePlugins();
  const isAdmin = useIsAdmin();
  const all = useMemo(() => [...(plugins?.values() ?? [])], [plugins]);
  const troubled = useMemo(
    () =>
      all
        .filter(needsAttention)
        .sort((a, b) => appearance(a).rank - appearance(b).rank || a.name.localeCompare(b.name)),
    [all],
  );
  if (plugins === undefined) {
    return (
      <Page title={words.overview.title}>
        <NotYet />
      </Page>
    );
  }
  return (
    <Page title={titleOf(all.length, troubled.length)} windowTitle={words.overview.title} lead={location.hostname}>
      <Summary plugins={all} />
      {all.length === 0 && <NoPlugins />}
      {troubled.length > 0 && <Attention plugins={troubled} />}
      <div className={css["columns"]}>
        <div className={css["column"]}>
          <Suspense fallback={<Skeleton lines={5} />}>
            <TotalCharts />
          </Suspense>
          {isAdmin && <LastEvents />}
        </div>
        <div className={css["column"]}>
          {isAdmin && <HostFigures />}
          <Busiest plugins={all} />
          <Open plugins={all} />
        </div>
      </div>
    </Page>
  );
}

function titleOf(all: number, troubled: number): string {
  if (all === 0) return words.overview.noPlugins;
  return troubled === 0 ? words.overview.allWell : words.overview.attention(troubled);
}

function NoPlugins() {
  const isAdmin = useIsAdmin();
  return (
    <Section title={words.shell.plugins}>
      <Notice icon={<Blocks aria-hidden />} title={isAdmin ? words.plugins.none : words.plugins.noneGranted}>
        {isAdmin ? words.plugins.noneHint : words.plugins.noneGrantedHint}
      </Notice>
    </Section>
  );
}

interface Share {
  readonly label: string;
  readonly tone: Tone;
  readonly glyph: Glyph;
  readonly count: number;
  readonly show: "running" | "asleep" | "attention" | "off";
}

function Summary({ plugins }: { readonly plugins: readonly LivePlugin[] }) {
  const rejected = useRejected();
  const of = (fits: (plugin: LivePlugin) => boolean) => plugins.filter(fits).length;
  const shares: readonly Share[] = [
    { label: words.overview.running, tone: "ok", glyph: "full", count: of((it) => it.running), show: "running" },
    {
      label: words.overview.asleep,
      tone: "calm",
      glyph: "moon",
      count: of((it) => it.state === "idle"),
      show: "asleep",
    },
    { label: words.overview.attentionShort, tone: "bad", glyph: "cross", count: of(needsAttention), show: "attention" },
    { label: words.overview.off, tone: "off", glyph: "ring", count: of((it) => !it.enabled), show: "off" },
  ];
  return (
    <ul className={css["summary"]} aria-label={words.overview.summary}>
      {shares.map((share) => (
        <li key={share.show}>
          <Link to="/plugins" search={{ show: share.show }} className={css["share"]}>
            <span className={css["number"]} data-none={share.count === 0}>
              {count(share.count)}
            </span>
            <span className={css["label"]}>
              <StateGlyph glyph={share.glyph} tone={share.count === 0 ? "off" : share.tone} />
              {share.label}
            </span>
          </Link>
        </li>
      ))}
      {rejected.length > 0 && (
        <li className={css["rejected"]}>
          <Link to="/plugins" className={css["share"]}>
            <span className={css["number"]}>{count(rejected.length)}</span>
            <span className={css["label"]}>
              <StateGlyph glyph="half" tone="warn" />
              {words.plugins.rejected}
            </span>
          </Link>
        </li>
      )}
    </ul>
  );
}

function Attention({ plugins }: { readonly plugins: readonly LivePlugin[] }) {
  return (
    <Section title={words.overview.attentionTitle}>
      <ul className={css["troubles"]}>
        {plugins.slice(0, 8).map((plugin) => (
          <Trouble key={plugin.id} plugin={plugin} />
        ))}
      </ul>
    </Section>
  );
}

function Trouble({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const wish = useWish(plugin);
  const first = isAdmin ? appearance(plugin).wishes[0] : undefined;
  return (
    <li className={css["trouble"]}>
      <PluginIcon icon={plugin.icon} name={plugin.name} />
      <div className={css["what"]}>
        <Link to="/plugins/$id" params={{ id: plugin.id }} className={css["name"]}>
          {plugin.name}
        </Link>
        <span className={css["reason"]}>{reason(plugin)}</span>
      </div>
      <StatePill plugin={plugin} />
      {isAdmin && (
        <Link to="/plugins/$id/logs" params={{ id: plugin.id }} className={css["logs"]}>
          {words.plugin.tabs.logs}
        </Link>
      )}
      {first !== undefined && (
        <Button size="small" isPending={wish.isPending} onPress={() => wish.mutate(first)}>
          {wishLook(first, plugin).icon}
          {wishLook(first, plugin).label}
        </Button>
      )}
    </li>
  );
}

const TILES = 24;

/** A way to each plugin's own page. */
function Open({ plugins }: { readonly plugins: readonly LivePlugin[] }) {
  const enabled = plugins.filter((plugin) => plugin.enabled).sort((a, b) => a.name.localeCompare(b.name));
  if (enabled.length === 0) return null;
  return (
    <Section title={words.overview.open}>
      <ul className={css["tiles"]}>
        {enabled.slice(0, TILES).map((plugin) => (
          <li key={plugin.id}>
            <Link to="/view/$id/$" params={{ id: plugin.id, _splat: "" }} className={css["tile"]}>
              <PluginIcon icon={plugin.icon} name={plugin.name} />
              <span className={css["tileName"]}>{plugin.name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
