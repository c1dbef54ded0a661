import type { Figure, Figures } from "@/api/types";

/** What was measured over time: columns of equal length, oldest first, as a chart wants them. Times in seconds. */
export interface History extends Readonly<Record<Column, readonly (number | null)[]>> {
  readonly at: readonly number[];
}

const COLUMNS = ["memory", "cpu", "requests", "errors", "restarts"] as const;
type Column = (typeof COLUMNS)[number];
/** One time of it. */
export type Point = Readonly<Record<Column, number | null>>;

export const NO_HISTORY: History = { at: [], memory: [], cpu: [], requests: [], errors: [], restarts: [] };

/** Who has no process and was not asked. */
const NOTHING: Point = { memory: 0, cpu: 0, requests: 0, errors: 0, restarts: 0 };

/** An hour at one point in three seconds. */
export const LONGEST = 1200;

export function pointOf(figure: Figure | undefined): Point {
  return figure === undefined
    ? NOTHING
    : {
        memory: figure.memory_bytes,
        cpu: figure.cpu_percent,
        requests: figure.requests_per_second,
        errors: figure.errors_per_second,
        restarts: figure.restarts,
      };
}

/** Several as one: the sum of what is known; null where nothing is. Of nobody it is nothing. */
export function summed(points: readonly Point[]): Point {
  if (points.length === 0) return NOTHING;
  return byColumn((column) => {
    const known = points.map((point) => point[column]).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
}

/** What the server remembers. */
export function historyOf(figures: Figures): History {
  return {
    at: figures.at,
    memory: figures.memory_bytes,
    cpu: figures.cpu_percent,
    requests: figures.requests_per_second,
    errors: figures.errors_per_second,
    restarts: figures.restarts,
  };
}

/** The history with one more point. A point that is not newer than the last changes nothing. */
export function extended(history: History, at: number, point: Point): History {
  const last = history.at.at(-1);
  if (last !== undefined && at <= last) return history;
  const from = history.at.length >= LONGEST ? 1 : 0;
  return { at: [...history.at.slice(from), at], ...byColumn((it) => [...history[it].slice(from), point[it]]) };
}

/** What was before, and then what is new: the points of `older` that lie before the first of `newer`. */
export function joined(older: History, newer: History): History {
  const first = newer.at[0];
  const found = first === undefined ? -1 : older.at.findIndex((at) => at >= first);
  const end = found < 0 ? older.at.length : found;
  return {
    at: [...older.at.slice(0, end), ...newer.at],
    ...byColumn((it) => [...older[it].slice(0, end), ...newer[it]]),
  };
}

/** Whether nothing was used or done in all of it. */
export function isIdle(history: History): boolean {
  return COLUMNS.every((column) => history[column].every((value) => value === 0));
}

/** How much of what is counted fell into each minute, up to the last that has begun. */
export function perMinute(at: readonly number[], counts: readonly (number | null)[]): [number[], (number | null)[]] {
  const sums = new Map<number, number | null>();
  at.forEach((then, index) => {
    const minute = Math.floor(then / 60) * 60;
    const count = counts[index] ?? null;
    const before = sums.get(minute) ?? null;
    sums.set(minute, count === null ? before : (before ?? 0) + count);
  });
  return [[...sums.keys()], [...sums.values()]];
}

function byColumn<T>(make: (column: Column) => T): Record<Column, T> {
  return Object.fromEntries(COLUMNS.map((column) => [column, make(column)])) as Record<Column, T>;
}
