import { memo } from "react";
import type { LogLine } from "@/api/types";
import { LEVELS } from "@/parts/appearance";
import { classes } from "@/ui/classes";
import { dateAndTime, timeOfDay } from "@/ui/format";
import { words } from "@/words";
import css from "./Logs.module.css";
import { pieces } from "./text";

interface LogRowProps {
  readonly line: LogLine;
  /** Said above it. */
  readonly day: string | undefined;
  readonly wanted: string;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** One entry; everything about it, when it is opened. */
export const LogRow = memo(
  function LogRow({ line, day, wanted, isOpen, onToggle }: LogRowProps) {
    const { label, tone } = LEVELS[line.level];
    const then = new Date(line.at);
    const fields = Object.entries(line.fields).map(([name, value]) => [name, said(value)] as const);
    return (
      <div
        className={classes(css["row"], css[tone], line.source === "systemd" && css["systemd"], isOpen && css["open"])}
      >
        {day !== undefined && <span className={css["day"]}>{day}</span>}
        <button
          type="button"
          className={css["time"]}
          aria-expanded={isOpen}
          title={dateAndTime(then)}
          onClick={onToggle}
        >
          {timeOfDay(then)}
          <span className={css["milliseconds"]}>.{String(then.getMilliseconds()).padStart(3, "0")}</span>
        </button>
        <span className={css["level"]}>{line.source === "systemd" ? words.logs.fromSystemd : label}</span>
        <span className={css["message"]}>
          <Searched text={line.message} wanted={wanted} />
          {fields.map(([name, value]) => (
            <span key={name} className={css["field"]}>
              <b>{name}</b>=<Searched text={value} wanted={wanted} />
            </span>
          ))}
        </span>
        {isOpen && <Detail line={line} />}
      </div>
    );
  },
  (a, b) => a.line === b.line && a.day === b.day && a.wanted === b.wanted && a.isOpen === b.isOpen,
);

function Searched({ text, wanted }: { readonly text: string; readonly wanted: string }) {
  return pieces(text, wanted).map((piece, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
    index % 2 === 1 ? <mark key={index}>{piece}</mark> : piece,
  );
}

function said(value: unknown, indent?: number): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, indent);
}

function Detail({ line }: { readonly line: LogLine }) {
  const { detail } = words.logs;
  const rows: readonly [string, string | number | null][] = [
    [detail.at, dateAndTime(new Date(line.at))],
    [detail.timestamp, line.timestamp],
    [detail.level, LEVELS[line.level].label],
    [detail.source, line.source],
    [detail.pid, line.pid],
    [detail.run, line.invocation_id],
    ...Object.entries(line.fields).map(([name, value]): [string, string] => [name, said(value, 2)]),
  ];
  return (
    <dl className={css["detail"]}>
      {rows
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
