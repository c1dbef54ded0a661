import { classes } from "@/ui/classes";
import css from "./Meter.module.css";

interface MeterProps {
  readonly label: string;
  readonly text: string;
  readonly value: number;
  readonly most: number | null;
}

/** A figure, and how much of what is allowed it takes up. */
export function Meter({ label, text, value, most }: MeterProps) {
  const share = most === null || most <= 0 ? null : Math.min(1, value / most);
  return (
    <span className={css["meter"]}>
      <span className={css["text"]}>{text}</span>
      {share !== null && (
        <span
          className={css["track"]}
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
        >
          <span className={classes(css["fill"], share > 0.85 && css["full"])} style={{ width: `${share * 100}%` }} />
        </span>
      )}
    </span>
  );
}
