/** What a chart draws, from what was measured. */
import { words } from "@/words";

type Values = readonly (number | null)[];
/** Times, and the values of each line: uPlot changes none of it, and yet wants it changeable. */
type Data = [number[], (number | null)[], ...(number | null)[][]];

/** What has just begun doesn't fill the whole width at once. */
const LEAST_SPAN_SECONDS = 300;

/** Points come every 3 to 15 seconds, on a host of hundreds of plugins more rarely. */
const LEAST_GAP_SECONDS = 40;

/** With nothing in the middle of each time from which there are no points, as when the core was down: no line goes across. */
export function withGaps(at: readonly number[], lines: readonly [Values, ...Values[]]): Data {
  const between = at.slice(1).map((then, index) => then - (at[index] ?? then));
  const usual = [...between].sort((a, b) => a - b)[Math.floor(between.length / 2)] ?? 0;
  const gap = Math.max(LEAST_GAP_SECONDS, usual * 3);
  const times: number[] = [];
  const values: (number | null)[][] = lines.map(() => []);
  at.forEach((then, index) => {
    const before = at[index - 1];
    if (before !== undefined && then - before > gap) {
      times.push((before + then) / 2);
      for (const line of values) line.push(null);
    }
    times.push(then);
    lines.forEach((line, number) => void values[number]?.push(line[index] ?? null));
  });
  return [times, ...values] as Data;
}

/** From when to when a chart goes, with so many seconds around it. uPlot's own guess for a single time is a day. */
export function spanOf(times: ArrayLike<number>, room: number): [number, number] {
  const last = times[times.length - 1] ?? Date.now() / 1000;
  return [Math.min(times[0] ?? last, last - LEAST_SPAN_SECONDS) - room, last + room];
}

/** What went wrong, with its way up and down: where nothing did, and nothing does beside it, there is no line. */
export function notable(values: Values): (number | null)[] {
  return values.map((value, index) => (value === 0 && !values[index - 1] && !values[index + 1] ? null : value));
}

/** Where a value has nothing on either side: a line would not show it. */
export function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const isNothing = (index: number) => values[index] === null || values[index] === undefined;
  return Array.from({ length: values.length }, (_, index) => index).filter(
    (index) => !isNothing(index) && isNothing(index - 1) && isNothing(index + 1),
  );
}

/** Between what all of it lies. */
export function rangeOf(values: Values, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return words.chart.none;
  const least = known.reduce((a, b) => Math.min(a, b));
  const most = known.reduce((a, b) => Math.max(a, b));
  return words.chart.range(format(least), format(most));
}
