import { expect, test } from "vitest";
import { extended, type History, joined, LONGEST, NO_HISTORY, type Point, perMinute, summed } from "@/live/history";
import { isolated, notable, rangeOf, spanOf, withGaps } from "@/ui/chartData";

const NO_POINT: Point = { memory: null, cpu: null, requests: null, errors: null, restarts: null };
const point = (memory: number | null): Point => ({ ...NO_POINT, memory });

function history(at: readonly number[], memory: readonly (number | null)[]): History {
  const nothing = at.map(() => null);
  return { at, memory, cpu: nothing, requests: nothing, errors: nothing, restarts: nothing };
}

test("a history grows by points that are newer than its last", () => {
  const one = extended(NO_HISTORY, 10, point(5));
  expect(extended(one, 10, point(6))).toBe(one);
  expect(extended(one, 13, point(6)).memory).toEqual([5, 6]);
});

test("a history has an end: its oldest points go", () => {
  let grown = NO_HISTORY;
  for (let at = 0; at < LONGEST + 5; at += 1) grown = extended(grown, at, point(at));
  expect(grown.at).toHaveLength(LONGEST);
  expect(grown.memory).toHaveLength(LONGEST);
  expect(grown.at[0]).toBe(5);
});

test("joined histories have each time once", () => {
  const older = history([1, 2, 3], [1, 2, 3]);
  expect(joined(older, history([3, 4], [30, 40]))).toEqual(history([1, 2, 3, 4], [1, 2, 30, 40]));
  expect(joined(older, NO_HISTORY)).toEqual(older);
});

test("a sum adds what is known, knows nothing where nothing is known, and of nobody is nothing", () => {
  expect(summed([point(1), point(null), point(10)]).memory).toBe(11);
  expect(summed([point(null)]).memory).toBeNull();
  expect(summed([]).memory).toBe(0);
});

test("counts are added up by the minute, however close their points are", () => {
  expect(perMinute([55, 58, 61, 75, 130], [1, 2, 0, 4, null])).toEqual([
    [0, 60, 120],
    [3, 4, null],
  ]);
});

test("no line goes across a time from which there are no points", () => {
  const [at, values] = withGaps([0, 15, 30, 200, 215], [[1, 2, 3, 4, 5]]);
  expect(at).toEqual([0, 15, 30, 115, 200, 215]);
  expect(values).toEqual([1, 2, 3, null, 4, 5]);
  // Where points are far apart, that is no gap.
  expect(withGaps([0, 60, 120, 180], [[1, 2, 3, 4]])[0]).toEqual([0, 60, 120, 180]);
});

test("a value that stands alone is drawn as a point", () => {
  expect(isolated([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  expect(isolated([])).toEqual([]);
});

test("a line of what went wrong is there where something did", () => {
  expect(notable([0, 0, 0, 2, 0, 0])).toEqual([null, null, 0, 2, 0, null]);
});

test("a chart says in words between what its values lie", () => {
  expect(rangeOf([3, null, 1, 2], String)).toBe("least 1, most 3");
  expect(rangeOf([null], String)).toBe("no figures");
});

test("a chart of what has just begun goes over five minutes, up to the last", () => {
  expect(spanOf([1000], 0)).toEqual([700, 1000]);
  expect(spanOf([900, 1000], 40)).toEqual([660, 1040]);
  expect(spanOf([0, 500, 1000], 0)).toEqual([0, 1000]);
  const [first, last] = spanOf([], 0);
  expect(last - first).toBe(300);
});
