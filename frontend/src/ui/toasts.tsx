import { CircleAlert, CircleCheck, Info, X } from "lucide-react";
import type { ReactNode } from "react";
import {
  Button,
  Text,
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from "react-aria-components";
import { words } from "@/words";
import { classes } from "./classes";
import css from "./toasts.module.css";

export type ToastKind = "success" | "error" | "info";

interface Content {
  readonly kind: ToastKind;
  readonly text: string;
  readonly more?: ReactNode;
}

/** Long enough to be read; an error stays until somebody closes it. */
const MILLISECONDS = 6000;

const queue = new ToastQueue<Content>({ maxVisibleToasts: 4 });

export function toast(text: string, kind: ToastKind = "info", more?: ReactNode): void {
  queue.add({ kind, text, more }, kind === "error" ? {} : { timeout: MILLISECONDS });
}

const ICONS = { success: CircleCheck, error: CircleAlert, info: Info };

export function Toasts() {
  return (
    <ToastRegion queue={queue} className={css["region"] ?? ""} aria-label={words.toasts.label}>
      {({ toast: shown }) => {
        const Icon = ICONS[shown.content.kind];
        return (
          <Toast toast={shown} className={classes(css["toast"], css[shown.content.kind])}>
            <Icon aria-hidden className={css["icon"]} />
            <ToastContent className={css["content"] ?? ""}>
              <Text slot="title">{shown.content.text}</Text>
              {shown.content.more}
            </ToastContent>
            <Button slot="close" className={css["close"] ?? ""} aria-label={words.close}>
              <X aria-hidden />
            </Button>
          </Toast>
        );
      }}
    </ToastRegion>
  );
}
