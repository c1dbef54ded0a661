import type { Figure } from "@/api/types";

/** What a plugin used over time: columns of equal length, oldest first, as a chart wants them. Times in seconds. */
export interface History {
  readonly at: readonly number[];
  readonly memory: readonly (number | null)[];
  readonly cpu: readonly (number | null)[];
}

export const NO_HISTORY: History = { at: [], memory: [], cpu: [] };

/** An hour at one point in three seconds. */
export const LONGEST = 1200;

/** The history with one more point. A point that is not newer than the last changes nothing. */
export function extended(history: History, at: number, figure: Pick<Figure, "memory_bytes" | "cpu_percent">): History {
  const last = history.at.at(-1);
  if (last !== undefined && at <= last) return history;
  const from = history.at.length >= LONGEST ? 1 : 0;
  return {
    at: [...history.at.slice(from), at],
    memory: [...history.memory.slice(from), figure.memory_bytes],
    cpu: [...history.cpu.slice(from), figure.cpu_percent],
  };
}

/** What was before, and then what is new: the points of `older` that lie before the first of `newer`. */
export function joined(older: History, newer: History): History {
  const first = newer.at[0];
  const count = first === undefined ? older.at.length : older.at.findIndex((at) => at >= first);
  const end = count < 0 ? older.at.length : count;
  return {
    at: [...older.at.slice(0, end), ...newer.at],
    memory: [...older.memory.slice(0, end), ...newer.memory],
    cpu: [...older.cpu.slice(0, end), ...newer.cpu],
  };
}

/** Several plugins as one: at each time the sum of what is known; null where nothing is. */
export function summed(histories: readonly History[]): History {
  const memory = new Map<number, number>();
  const cpu = new Map<number, number>();
  for (const history of histories) {
    history.at.forEach((at, i) => {
      const m = history.memory[i];
      const c = history.cpu[i];
      if (m !== null && m !== undefined) memory.set(at, (memory.get(at) ?? 0) + m);
      if (c !== null && c !== undefined) cpu.set(at, (cpu.get(at) ?? 0) + c);
    });
  }
  const at = [...new Set(histories.flatMap((history) => history.at))].sort((a, b) => a - b);
  return { at, memory: at.map((t) => memory.get(t) ?? null), cpu: at.map((t) => cpu.get(t) ?? null) };
}
