import { expect, test } from "vitest";
import { extended, joined, LONGEST, NO_HISTORY, summed } from "@/live/history";

const point = (memory: number | null, cpu: number | null = null) => ({ memory_bytes: memory, cpu_percent: cpu });

test("a history grows by points that are newer than its last", () => {
  const one = extended(NO_HISTORY, 10, point(5, 1));
  expect(extended(one, 10, point(6))).toBe(one);
  expect(extended(one, 13, point(6)).memory).toEqual([5, 6]);
});

test("a history has an end: its oldest points go", () => {
  let history = NO_HISTORY;
  for (let at = 0; at < LONGEST + 5; at += 1) history = extended(history, at, point(at));
  expect(history.at).toHaveLength(LONGEST);
  expect(history.at[0]).toBe(5);
});

test("joined histories have each time once", () => {
  const older = { at: [1, 2, 3], memory: [1, 2, 3], cpu: [null, null, null] };
  const newer = { at: [3, 4], memory: [30, 40], cpu: [1, 1] };
  expect(joined(older, newer)).toEqual({ at: [1, 2, 3, 4], memory: [1, 2, 30, 40], cpu: [null, null, 1, 1] });
  expect(joined(older, NO_HISTORY)).toEqual(older);
});

test("a sum adds what is known, and knows nothing where nothing is known", () => {
  const a = { at: [1, 2], memory: [1, 2], cpu: [null, null] };
  const b = { at: [2], memory: [10], cpu: [null] };
  expect(summed([a, b])).toEqual({ at: [1, 2], memory: [1, 12], cpu: [null, null] });
});
