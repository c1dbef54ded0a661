import type { Figure, Plugin } from "@/api/types";
import { appearance, needsAttention } from "@/parts/appearance";
import type { Filter, Sort } from "./search";

const FITS: Readonly<Record<Filter, (plugin: Plugin) => boolean>> = {
  all: () => true,
  attention: needsAttention,
  running: (plugin) => plugin.running,
  asleep: (plugin) => plugin.state === "idle",
  off: (plugin) => !plugin.enabled,
};

type Figures = ReadonlyMap<string, Figure>;
type Order = (a: Plugin, b: Plugin, figures: Figures) => number;

const ORDERS: Readonly<Record<Sort, Order>> = {
  name: () => 0,
  state: (a, b) => appearance(a).rank - appearance(b).rank,
  memory: (a, b, figures) => (memoryOf(b, figures) ?? -1) - (memoryOf(a, figures) ?? -1),
  cpu: (a, b, figures) => (figures.get(b.id)?.cpu_percent ?? -1) - (figures.get(a.id)?.cpu_percent ?? -1),
};

/** What a plugin uses now; what was known when it last changed, until the first figures are there. */
export function memoryOf(plugin: Plugin, figures: Figures): number | null {
  if (plugin.pid === null) return null;
  return figures.get(plugin.id)?.memory_bytes ?? plugin.memory_bytes;
}

/** The plugins that fit what was asked for, in the order that was asked for; those alike by name. */
export function chosen<P extends Plugin>(
  plugins: readonly P[],
  asked: { readonly text: string; readonly filter: Filter; readonly sort: Sort },
  figures: Figures,
): readonly P[] {
  const wanted = asked.text.trim().toLowerCase();
  return plugins
    .filter((plugin) => FITS[asked.filter](plugin) && (wanted === "" || textOf(plugin).includes(wanted)))
    .sort((a, b) => ORDERS[asked.sort](a, b, figures) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}

export function countOf(plugins: readonly Plugin[], filter: Filter): number {
  return plugins.filter(FITS[filter]).length;
}

function textOf(plugin: Plugin): string {
  return [plugin.name, plugin.id, plugin.author, plugin.description].join("\n").toLowerCase();
}
