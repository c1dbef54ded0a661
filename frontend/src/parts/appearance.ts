/** How each word of the server looks, and what may be done about it. A word that has no row here does not compile. */
import type { EventKind, Level, Plugin, Scope, State } from "@/api/types";
import { words } from "@/words";

export type Tone = "ok" | "warn" | "bad" | "calm" | "off";
export type Glyph = "full" | "ring" | "moon" | "bars" | "turning" | "waiting" | "cross" | "half";
export type Wish = "enable" | "disable" | "restart" | "pause" | "resume" | "retry";

export interface Appearance {
  readonly label: string;
  readonly tone: Tone;
  readonly glyph: Glyph;
  /** What an admin may do, the most useful first. Enabling and disabling is the switch's business. */
  readonly wishes: readonly Wish[];
  /** In the order of how much somebody should look at it. */
  readonly rank: number;
}

const { states, events, levels } = words;

export const STATES: Readonly<Record<State, Appearance>> = {
  failed: { label: states.failed, tone: "bad", glyph: "cross", wishes: ["retry", "restart"], rank: 0 },
  "backing off": { label: states.backingOff, tone: "bad", glyph: "waiting", wishes: ["retry"], rank: 1 },
  paused: { label: states.paused, tone: "warn", glyph: "bars", wishes: ["resume", "restart"], rank: 3 },
  stopping: { label: states.stopping, tone: "warn", glyph: "half", wishes: [], rank: 4 },
  starting: { label: states.starting, tone: "calm", glyph: "turning", wishes: ["restart"], rank: 5 },
  running: { label: states.running, tone: "ok", glyph: "full", wishes: ["restart", "pause"], rank: 6 },
  idle: { label: states.idle, tone: "calm", glyph: "moon", wishes: ["restart"], rank: 7 },
  stopped: { label: states.stopped, tone: "off", glyph: "ring", wishes: [], rank: 8 },
};

const OFF: Appearance = { label: states.disabled, tone: "off", glyph: "ring", wishes: [], rank: 9 };
const GAVE_UP: Appearance = { label: states.gaveUp, tone: "bad", glyph: "cross", wishes: ["retry"], rank: 0 };
const TAKEN_DOWN: Appearance = { label: states.takenDown, tone: "warn", glyph: "ring", wishes: ["retry"], rank: 2 };

/** A plugin's state together with what is wished of it: one that is stopped is off, given up, or was taken down. */
export function appearance(plugin: Plugin): Appearance {
  if (plugin.state === "stopped" || plugin.state === "failed") {
    if (plugin.disabled_because !== null && !plugin.enabled) return GAVE_UP;
    if (!plugin.enabled) return OFF;
    if (plugin.state === "stopped") return TAKEN_DOWN;
  }
  const found = STATES[plugin.state];
  return plugin.health === "unhealthy" && found.tone !== "bad" ? { ...found, tone: "warn", rank: 2 } : found;
}

/** Whether somebody should look at it. */
export function needsAttention(plugin: Plugin): boolean {
  return appearance(plugin).rank <= 3;
}

/** Why it is not as one would wish, where there is something to say. */
export function reason(plugin: Plugin): string | null {
  if (plugin.reason !== null) return plugin.reason;
  const because = plugin.disabled_because?.["reason"];
  return typeof because === "string" ? because : null;
}

export const EVENTS: Readonly<
  Record<EventKind, { readonly label: string; readonly tone: Tone; readonly glyph: Glyph }>
> = {
  started: { label: events.started, tone: "ok", glyph: "full" },
  restarted: { label: events.restarted, tone: "calm", glyph: "turning" },
  stopped: { label: events.stopped, tone: "off", glyph: "ring" },
  crashed: { label: events.crashed, tone: "bad", glyph: "cross" },
  "gave-up": { label: events.gaveUp, tone: "bad", glyph: "cross" },
  enabled: { label: events.enabled, tone: "calm", glyph: "full" },
  disabled: { label: events.disabled, tone: "off", glyph: "ring" },
  paused: { label: events.paused, tone: "warn", glyph: "bars" },
  resumed: { label: events.resumed, tone: "calm", glyph: "full" },
  other: { label: events.other, tone: "off", glyph: "half" },
};

export const LEVELS: Readonly<Record<Level, { readonly label: string; readonly tone: Tone }>> = {
  emerg: { label: levels.emerg, tone: "bad" },
  alert: { label: levels.alert, tone: "bad" },
  crit: { label: levels.crit, tone: "bad" },
  err: { label: levels.err, tone: "bad" },
  warning: { label: levels.warning, tone: "warn" },
  notice: { label: levels.notice, tone: "calm" },
  info: { label: levels.info, tone: "off" },
  debug: { label: levels.debug, tone: "off" },
};

export const SCOPES: Readonly<Record<Scope, string>> = words.account.scopes;
