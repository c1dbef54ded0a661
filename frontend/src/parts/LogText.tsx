import type { LogLine } from "@/api/types";
import { classes } from "@/ui/classes";
import { timeOfDay } from "@/ui/format";
import { LEVELS } from "./appearance";
import css from "./LogText.module.css";

/** A few log lines, as a block. The screen for logs has its own. */
export function LogText({ lines, label }: { readonly lines: readonly LogLine[]; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keyboard too
    <section className={css["block"]} aria-label={label} tabIndex={0}>
      {lines.map((line) => (
        <div
          key={line.cursor}
          className={classes(css["line"], css[LEVELS[line.level].tone], line.source === "systemd" && css["systemd"])}
        >
          <time className={css["time"]} dateTime={line.at}>
            {timeOfDay(new Date(line.at))}
          </time>
          <span className={css["message"]}>{line.message}</span>
        </div>
      ))}
    </section>
  );
}
