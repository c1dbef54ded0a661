/** Which lines the log shows, as it stands in the address. */
import type { Level } from "@/api/types";

export const LEVEL_CHOICES = ["debug", "info", "notice", "warning", "err", "crit"] as const satisfies readonly Level[];
export type LevelChoice = (typeof LEVEL_CHOICES)[number];

export const RANGES = ["all", "15m", "1h", "6h", "1d", "7d", "custom"] as const;
export type Range = (typeof RANGES)[number];

export interface LogSearch {
  readonly q?: string;
  readonly level?: LevelChoice;
  readonly range?: Range;
  /** RFC 3339; with the range `custom`. */
  readonly since?: string;
  readonly until?: string;
  /** The invocation id of a run. */
  readonly run?: string;
}

export function checkedLogSearch(search: Readonly<Record<string, unknown>>): LogSearch {
  const { q, level, range, since, until, run } = search;
  return {
    ...(typeof q === "string" && q !== "" ? { q } : {}),
    ...(LEVEL_CHOICES.some((choice) => choice === level && choice !== "debug") ? { level: level as LevelChoice } : {}),
    ...(RANGES.some((choice) => choice === range && choice !== "all") ? { range: range as Range } : {}),
    ...(isMoment(since) ? { since } : {}),
    ...(isMoment(until) ? { until } : {}),
    ...(typeof run === "string" && /^[0-9a-f]{32}$/.test(run) ? { run } : {}),
  };
}

function isMoment(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

const SECONDS: Readonly<Record<Exclude<Range, "all" | "custom">, number>> = {
  "15m": 900,
  "1h": 3600,
  "6h": 21_600,
  "1d": 86_400,
  "7d": 604_800,
};

/** What the API is asked for. */
export interface LogFilter {
  readonly q?: string;
  readonly level?: LevelChoice;
  readonly since?: string;
  readonly until?: string;
  readonly invocation?: string;
}

export function filterOf(search: LogSearch, now: Date): LogFilter {
  const { q, level, range, since, until, run } = search;
  const custom = range === "custom" ? { ...(since && { since }), ...(until && { until }) } : {};
  const relative =
    range !== undefined && range !== "custom" && range !== "all"
      ? { since: new Date(now.getTime() - SECONDS[range] * 1000).toISOString() }
      : {};
  return { ...(q && { q }), ...(level && { level }), ...custom, ...relative, ...(run && { invocation: run }) };
}

/** What was written until then has all been written: there is nothing to wait for. */
export function canFollow(filter: LogFilter): boolean {
  return filter.until === undefined;
}

export function queryOf(filter: LogFilter, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ ...filter, ...more }).toString();
  return query === "" ? "" : `?${query}`;
}
