import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { Figure } from "@/api/types";
import { useFigure, useIsAdmin, usePlugin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { CopyButton } from "@/parts/CopyButton";
import { classes } from "@/ui/classes";
import { bytes, count, percent } from "@/ui/format";
import { Skeleton } from "@/ui/notices";
import { type Fact, Facts, Section } from "@/ui/page";
import { Ago } from "@/ui/time";
import { words } from "@/words";
import page from "./PluginPage.module.css";
import { SandboxCard } from "./SandboxCard";
import css from "./Status.module.css";
import { WhyCard } from "./WhyCard";

const UsageCharts = lazy(() => import("./UsageCharts"));
const route = getRouteApi("/plugins/$id/");

export default function Status() {
  const { id } = route.useParams();
  const plugin = usePlugin(id);
  const isAdmin = useIsAdmin();
  if (plugin === undefined || plugin === null) return null;
  return (
    <div className={classes(page["columns"], css["columns"])}>
      <div className={page["column"]}>
        <Section title={words.plugin.charts} note={words.plugin.chartsNote}>
          <Suspense fallback={<Skeleton lines={4} />}>
            <UsageCharts plugin={plugin} />
          </Suspense>
        </Section>
        {isAdmin && <WhyCard plugin={plugin} />}
      </div>
      <div className={page["column"]}>
        <Section title={words.plugin.runtime}>
          <Runtime plugin={plugin} />
        </Section>
        <SandboxCard plugin={plugin} />
        <Section title={words.plugin.about}>
          {plugin.description !== null && <p className={css["description"]}>{plugin.description}</p>}
          <Facts facts={about(plugin)} />
        </Section>
        {isAdmin && (
          <Section title={words.plugin.commands}>
            <ul className={css["commands"]}>
              {[
                `systemctl status ${plugin.unit}`,
                `journalctl -fu ${plugin.unit}`,
                `systemctl edit ${plugin.unit}`,
                `systemd-analyze security ${plugin.unit}`,
              ].map((command) => (
                <li key={command} className={css["command"]}>
                  <code>{command}</code>
                  <CopyButton text={command} label={`${words.plugin.copyCommand} ${command}`} />
                </li>
              ))}
            </ul>
          </Section>
        )}
      </div>
    </div>
  );
}

function Runtime({ plugin }: { readonly plugin: LivePlugin }) {
  const figure = useFigure(plugin.id);
  return <Facts facts={runtime(plugin, figure)} />;
}

function runtime(plugin: LivePlugin, figure: Figure | undefined): readonly Fact[] {
  const { limits } = plugin;
  return [
    { name: words.plugin.pid, value: plugin.pid, isCode: true },
    {
      name: words.plugin.since,
      value: plugin.changed_at !== null && <Ago then={new Date(plugin.changed_at * 1000)} />,
    },
    { name: words.plugin.tasks, value: figure?.tasks ?? plugin.tasks },
    { name: words.plugin.restarts, value: count(plugin.restarts) },
    { name: words.plugin.limitMemory, value: limits.memory_bytes !== null && bytes(limits.memory_bytes) },
    { name: words.plugin.limitTasks, value: limits.tasks !== null && count(limits.tasks) },
    { name: words.plugin.limitCpu, value: limits.cpu_percent !== null && percent(limits.cpu_percent) },
    { name: words.plugin.unit, value: plugin.unit, isCode: true },
    { name: words.plugin.socketUnit, value: plugin.socket_unit, isCode: true },
    { name: words.plugin.socket, value: plugin.socket_path, isCode: true },
    { name: words.plugin.privateSocket, value: plugin.private_socket_path, isCode: true },
    { name: words.plugin.invocation, value: plugin.invocation_id, isCode: true },
  ];
}

function about(plugin: LivePlugin): readonly Fact[] {
  return [
    { name: words.plugin.version, value: plugin.version },
    { name: words.plugin.author, value: plugin.author },
    { name: words.plugin.homepage, value: plugin.homepage !== null && <Homepage address={plugin.homepage} /> },
    { name: words.plugin.id, value: plugin.id, isCode: true },
    { name: words.plugin.route, value: plugin.route, isCode: true },
    { name: words.plugin.protocol, value: plugin.protocol, isCode: true },
    { name: words.plugin.start, value: plugin.start && words.plugin.starts[plugin.start] },
    { name: words.plugin.file, value: plugin.path, isCode: true },
  ];
}

/** A link, if it leads to a web page: a plugin may say anything of itself, `javascript:` too. */
function Homepage({ address }: { readonly address: string }) {
  if (!/^https?:\/\//i.test(address)) return address;
  return (
    <a className={css["link"]} href={address} target="_blank" rel="noreferrer">
      {address}
    </a>
  );
}
