import { Link } from "@tanstack/react-router";
import { useFigures } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { Meter } from "@/parts/Meter";
import { PluginIcon } from "@/parts/PluginIcon";
import { bytes, percent } from "@/ui/format";
import { Notice } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import css from "./Overview.module.css";

const SHOWN = 5;

/** Who uses most memory at the moment. */
export function Busiest({ plugins }: { readonly plugins: readonly LivePlugin[] }) {
  const figures = useFigures();
  const busy = plugins
    .map((plugin) => ({ plugin, figure: figures.get(plugin.id) }))
    .filter(({ plugin, figure }) => figure !== undefined && plugin.pid !== null)
    .sort((a, b) => (b.figure?.memory_bytes ?? 0) - (a.figure?.memory_bytes ?? 0))
    .slice(0, SHOWN);
  return (
    <Section title={words.overview.busiest}>
      {busy.length === 0 ? (
        <Notice title={words.overview.none}>{words.overview.noneHint}</Notice>
      ) : (
        <ul className={css["busy"]}>
          {busy.map(({ plugin, figure }) => (
            <li key={plugin.id} className={css["busyItem"]}>
              <PluginIcon icon={plugin.icon} name={plugin.name} size="small" />
              <Link to="/plugins/$id" params={{ id: plugin.id }} className={css["busyName"]}>
                {plugin.name}
              </Link>
              <span className={css["busyMemory"]}>
                {figure?.memory_bytes != null && (
                  <Meter
                    label={words.plugins.memoryOf(plugin.name)}
                    text={bytes(figure.memory_bytes)}
                    value={figure.memory_bytes}
                    most={plugin.limits.memory_bytes}
                  />
                )}
              </span>
              <span className={css["busyCpu"]}>{figure?.cpu_percent != null && percent(figure.cpu_percent)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
