import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from "react-aria-components";
import css from "./Button.module.css";
import { classes } from "./classes";

interface ButtonProps extends Omit<AriaButtonProps, "className" | "style" | "children"> {
  readonly kind?: "primary" | "plain" | "quiet" | "danger";
  readonly size?: "normal" | "small" | "square";
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

export function Button({ kind = "plain", size = "normal", className, children, ...props }: ButtonProps) {
  return (
    <AriaButton {...props} className={classes(css["button"], css[kind], css[size], className)}>
      {children}
    </AriaButton>
  );
}

interface IconButtonProps extends Omit<ButtonProps, "kind" | "size" | "aria-label"> {
  readonly label: string;
}

/** A sign alone; its name is for those who can't see it. */
export function IconButton({ label, ...props }: IconButtonProps) {
  return <Button {...props} kind="quiet" size="square" aria-label={label} />;
}

/** The same look, for a link. */
export function buttonClasses(
  kind: "primary" | "plain" | "quiet" = "plain",
  size: "normal" | "small" = "normal",
): string {
  return classes(css["button"], css[kind], css[size]);
}
