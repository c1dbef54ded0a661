import { classes } from "@/ui/classes";
import css from "./PluginIcon.module.css";

interface PluginIconProps {
  readonly icon: string | null;
  readonly name: string;
  readonly size?: "small" | "normal" | "large";
  readonly isDimmed?: boolean;
}

/** A plugin's emoji, or the first letter of its name. It is text: whatever a plugin says of itself, it draws no more. */
export function PluginIcon({ icon, name, size = "normal", isDimmed = false }: PluginIconProps) {
  const first = [...(icon ?? "")].length > 0 ? icon : ([...name][0] ?? "?").toUpperCase();
  return (
    <span
      aria-hidden="true"
      className={classes(css["icon"], css[size], icon === null && css["letter"], isDimmed && css["dim"])}
    >
      {first}
    </span>
  );
}
