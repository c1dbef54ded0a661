import { Switch as AriaSwitch } from "react-aria-components";
import css from "./Switch.module.css";

interface SwitchProps {
  readonly label: string;
  readonly isSelected: boolean;
  /** Somebody has asked, and the server has not said yet that it is so. */
  readonly isPending?: boolean;
  readonly isDisabled?: boolean;
  readonly onChange: (selected: boolean) => void;
}

/** Shows what is. It moves when the server says so, not when it is pressed. */
export function Switch({ label, isSelected, isPending = false, isDisabled = false, onChange }: SwitchProps) {
  return (
    <AriaSwitch
      className={css["switch"] ?? ""}
      aria-label={label}
      isSelected={isSelected}
      isDisabled={isDisabled || isPending}
      onChange={onChange}
      data-pending={isPending || undefined}
    >
      <span className={css["track"]}>
        <span className={css["thumb"]} />
      </span>
    </AriaSwitch>
  );
}
