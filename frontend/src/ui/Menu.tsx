import type { ReactNode } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { classes } from "./classes";
import css from "./Menu.module.css";

export interface MenuAction {
  readonly id: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly isDangerous?: boolean;
  readonly isDisabled?: boolean;
  readonly onAction: () => void;
}

interface MenuProps {
  readonly label: string;
  /** The button that opens it. */
  readonly children: ReactNode;
  readonly actions: readonly MenuAction[];
}

export function Menu({ label, children, actions }: MenuProps) {
  return (
    <MenuTrigger>
      {children}
      <Popover className={css["popover"] ?? ""} placement="bottom end">
        <AriaMenu className={css["menu"] ?? ""} aria-label={label}>
          {actions.map((action) => (
            <MenuItem
              key={action.id}
              id={action.id}
              textValue={action.label}
              className={classes(css["item"], action.isDangerous && css["danger"])}
              isDisabled={action.isDisabled ?? false}
              onAction={action.onAction}
            >
              {action.icon}
              {action.label}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
