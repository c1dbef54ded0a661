import type { PluginEvent } from "@/api/types";

/** What was stored, and over it what happens while somebody looks: each event once, newest first. */
export function laidOver(recent: readonly PluginEvent[], stored: readonly PluginEvent[]): readonly PluginEvent[] {
  const known = new Set(stored.map((event) => event.id));
  const missing = recent.filter((event) => !known.has(event.id));
  return [...missing, ...stored].sort((a, b) => b.timestamp.localeCompare(a.timestamp) || b.id - a.id);
}
