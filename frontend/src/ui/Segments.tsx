import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { count as formatted } from "./format";
import css from "./Segments.module.css";

interface SegmentsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly id: T; readonly label: string; readonly count?: number }[];
  readonly onChange: (value: T) => void;
}

/** One of a few, all in sight. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  return (
    <ToggleButtonGroup
      className={css["segments"] ?? ""}
      aria-label={label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const chosen = options.find((option) => keys.has(option.id));
        if (chosen !== undefined) onChange(chosen.id);
      }}
    >
      {options.map((option) => (
        <ToggleButton key={option.id} id={option.id} className={css["segment"] ?? ""}>
          {option.label}
          {option.count !== undefined && <span className={css["count"]}>{formatted(option.count)}</span>}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
