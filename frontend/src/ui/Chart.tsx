import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import css from "./Chart.module.css";
import { timeOfDay } from "./format";
import { useIsDark } from "./theme";

/** Steps between ticks that are round numbers of KiB, MiB and so on. */
export const BYTES: readonly number[] = Array.from({ length: 31 }, (_, power) => 1024 * 2 ** power);

interface ChartProps {
  readonly label: string;
  /** In seconds since 1970. */
  readonly at: readonly number[];
  readonly values: readonly (number | null)[];
  readonly format: (value: number) => string;
  /** What may lie between two ticks; else whatever is round in tens. */
  readonly steps?: readonly number[];
  /** Moments to mark, such as crashes. */
  readonly marks?: readonly number[];
  /** The scale reaches at least here, so that a flat line looks flat. */
  readonly least: number;
}

/** A line over time. What it says is said in words as well: see `label`. */
export default function Chart({ label, at, values, format, steps, marks, least }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const isDark = useIsDark();
  const current = useRef({ format, marks, least });
  current.current = { format, marks, least };

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew when the theme changes
  useEffect(() => {
    const parent = place.current;
    if (parent === null) return;
    const style = getComputedStyle(parent);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const font = `12px ${colour("--t-sans")}`;
    const drawn = new uPlot(
      {
        width: parent.clientWidth,
        height: parent.clientHeight,
        cursor: { y: false, points: { size: 7 } },
        legend: { show: false },
        padding: [10, 12, 0, 0],
        scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, current.current.least)] } },
        series: [
          {},
          { stroke: colour("--t-accent"), width: 1.75, fill: `${colour("--t-accent")}1c`, points: { show: false } },
        ],
        axes: [
          {
            stroke: colour("--t-ink-3"),
            font,
            grid: { show: false },
            ticks: { show: false },
            size: 26,
            space: 80,
            values: (_, ticks, __, ___, step) =>
              ticks.map((tick) => timeOfDay(new Date(tick * 1000)).slice(0, step < 60 ? 8 : 5)),
          },
          {
            stroke: colour("--t-ink-3"),
            font,
            grid: { stroke: colour("--t-line"), width: 1 },
            ticks: { show: false },
            size: 68,
            space: 32,
            ...(steps === undefined ? {} : { incrs: [...steps] }),
            values: (_, ticks) => ticks.map((tick) => current.current.format(tick)),
          },
        ],
        hooks: {
          draw: [(self) => drawMarks(self, current.current.marks ?? [], colour("--t-bad"))],
          setCursor: [(self) => showPoint(self, parent, current.current.format)],
        },
      },
      [[], []],
      parent,
    );
    chart.current = drawn;
    const sized = new ResizeObserver(() => drawn.setSize({ width: parent.clientWidth, height: parent.clientHeight }));
    sized.observe(parent);
    return () => {
      sized.disconnect();
      drawn.destroy();
      chart.current = null;
    };
  }, [isDark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chart, of another theme, needs its data as well
  useEffect(() => {
    chart.current?.setData([[...at], [...values]]);
  }, [at, values, isDark]);

  return (
    <figure className={css["figure"]}>
      <figcaption className={css["caption"]}>{label}</figcaption>
      <div ref={place} className={css["place"]} aria-hidden="true" data-point="" />
    </figure>
  );
}

/** What the pointer is on, beside it. */
function showPoint(chart: uPlot, place: HTMLElement, format: (value: number) => string): void {
  const { idx, left } = chart.cursor;
  const at = idx === null || idx === undefined ? undefined : chart.data[0][idx];
  const value = idx === null || idx === undefined ? undefined : chart.data[1]?.[idx];
  const isThere = at !== undefined && value !== undefined && value !== null && (left ?? -1) >= 0;
  place.dataset["point"] = isThere ? `${timeOfDay(new Date(at * 1000))}  ${format(value)}` : "";
}

function drawMarks(chart: uPlot, marks: readonly number[], colour: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of marks) {
    const x = chart.valToPos(mark, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
