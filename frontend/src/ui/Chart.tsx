import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { words } from "@/words";
import css from "./Chart.module.css";
import { isolated, notable, rangeOf, spanOf, withGaps } from "./chartData";
import { timeOfDay } from "./format";
import { useIsDark } from "./theme";

/** Steps between ticks that are round numbers of KiB, MiB and so on. */
export const BYTES: readonly number[] = Array.from({ length: 31 }, (_, power) => 1024 * 2 ** power);

type Values = readonly (number | null)[];

interface ChartProps {
  /** What it is, and its value now. */
  readonly label: string;
  /** In seconds since 1970. */
  readonly at: readonly number[];
  readonly values: Values;
  readonly format: (value: number) => string;
  /** What the values are, where there is a second line. */
  readonly name?: string;
  /** A second line: what went wrong. */
  readonly bad?: { readonly name: string; readonly values: Values };
  readonly kind?: "line" | "bars";
  /** What may lie between two ticks; else whatever is round in tens. */
  readonly steps?: readonly number[];
  /** Moments to mark, such as crashes. */
  readonly marks?: readonly number[];
  /** The scale reaches at least here, so that a flat line looks flat. */
  readonly least: number;
}

/**
 * A line over time. What it says is said in words as well: its least and most stand below it, and whoever can't point
 * at it goes along it with the arrow keys, as on a slider.
 */
export default function Chart({ label, at, values, format, name, bad, kind, steps, marks, least }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  /** The time that the keys went to: it stays, while the line moves on. */
  const held = useRef<number>(null);
  const isDark = useIsDark();
  const [pointed, setPointed] = useState<number | null>(null);
  const current = useRef({ format, marks, least });
  current.current = { format, marks, least };
  const badValues = bad?.values;
  const data = useMemo(
    () => withGaps(at, badValues === undefined ? [values] : [values, badValues]),
    [at, values, badValues],
  );
  const hasBad = bad !== undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew when the theme changes
  useEffect(() => {
    const parent = place.current;
    if (parent === null) return;
    const style = getComputedStyle(parent);
    const colour = (variable: string) => style.getPropertyValue(variable).trim();
    const font = `12px ${colour("--t-sans")}`;
    const points = { size: 4, show: true, filter: (self: uPlot, line: number) => isolated(self.data[line] ?? []) };
    const room = kind === "bars" ? 40 : 0;
    const bars = kind === "bars" ? { paths: uPlot.paths.bars?.({ size: [0.7, 18, 2] }), points: { show: false } } : {};
    const drawn = new uPlot(
      {
        width: parent.clientWidth,
        height: parent.clientHeight,
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        legend: { show: false },
        padding: [10, 12, 0, 0],
        scales: {
          x: { range: (self) => spanOf(self.data[0], room) },
          y: { range: (_, __, most) => [0, Math.max((most ?? 0) * 1.1, current.current.least)] },
        },
        series: [
          {},
          {
            stroke: colour("--t-accent"),
            width: 1.75,
            fill: `${colour("--t-accent")}1c`,
            points,
            ...bars,
          } as uPlot.Series,
          ...(hasBad ? [{ stroke: colour("--t-bad"), width: 1.75, dash: [5, 3], points }] : []),
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
          setCursor: [(self) => setPointed((self.cursor.left ?? -1) < 0 ? null : (self.cursor.idx ?? null))],
        },
      },
      [[], [], ...(hasBad ? [[]] : [])],
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
  }, [isDark, hasBad]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chart, of another theme, needs its data as well
  useEffect(() => {
    const drawn = chart.current;
    if (drawn === null) return;
    const [times, first, ...others] = data;
    // A bar of nothing is a line along the bottom.
    const values = kind === "bars" ? first.map((value) => value || null) : first;
    // At once: where a time lies is known when its scale is.
    drawn.batch(() => drawn.setData([times, values, ...others.map(notable)]));
    if (held.current !== null) point(drawn, held.current);
  }, [data, isDark, hasBad]);

  const last = data[0].length - 1;
  const lines = [{ name, values: data[1] }, ...(bad === undefined ? [] : [{ name: bad.name, values: data[2] ?? [] }])];
  const said = (index: number): string => {
    const then = data[0][index];
    if (then === undefined) return words.chart.none;
    const figures = lines.map((line) => {
      const value = line.values[index];
      const figure = typeof value === "number" ? format(value) : words.chart.none;
      return line.name === undefined ? figure : `${line.name} ${figure}`;
    });
    return words.chart.at(timeOfDay(new Date(then * 1000)), figures.join(", "));
  };

  function walk(event: KeyboardEvent): void {
    const to = STEPS[event.key]?.(pointed ?? last, last);
    const then = to === undefined ? undefined : data[0][Math.min(Math.max(to, 0), last)];
    if (then === undefined || chart.current === null) return;
    event.preventDefault();
    held.current = then;
    point(chart.current, then);
  }

  function letGo(): void {
    held.current = null;
    chart.current?.setCursor({ left: -10, top: -10 });
  }

  return (
    <figure className={css["figure"]}>
      <figcaption className={css["caption"]} data-pointed={pointed !== null}>
        {pointed === null ? label : said(pointed)}
      </figcaption>
      <div
        ref={place}
        className={css["place"]}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-readonly="true"
        aria-valuemin={0}
        aria-valuemax={Math.max(last, 0)}
        aria-valuenow={Math.max(pointed ?? last, 0)}
        aria-valuetext={said(pointed ?? last)}
        onKeyDown={walk}
        onPointerMove={() => {
          held.current = null;
        }}
        onBlur={letGo}
      />
      <ul className={css["lines"]}>
        {lines.map((line, index) => (
          <li key={line.name ?? ""}>
            {line.name !== undefined && <Swatch isBad={index > 0} />}
            {line.name !== undefined && <span className={css["name"]}>{line.name}</span>}
            <span>{rangeOf(line.values, format)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

type Step = (now: number, last: number) => number;

const STEPS: Readonly<Record<string, Step>> = {
  ArrowLeft: (now) => now - 1,
  ArrowDown: (now) => now - 1,
  ArrowRight: (now) => now + 1,
  ArrowUp: (now) => now + 1,
  PageDown: (now) => now - 20,
  PageUp: (now) => now + 20,
  Home: () => 0,
  End: (_, last) => last,
};

/** How a line is drawn: told apart by its form, not by its colour alone. */
function Swatch({ isBad }: { readonly isBad: boolean }) {
  return (
    <svg viewBox="0 0 20 8" className={css["swatch"]} aria-hidden="true">
      <path
        d="M0 4h20"
        stroke={isBad ? "var(--t-bad)" : "var(--t-accent)"}
        strokeWidth="2"
        strokeDasharray={isBad ? "5 3" : undefined}
      />
    </svg>
  );
}

function point(chart: uPlot, then: number): void {
  chart.setCursor({ left: chart.valToPos(then, "x"), top: 0 });
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
