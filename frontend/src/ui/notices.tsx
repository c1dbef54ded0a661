import type { ReactNode } from "react";
import { ApiError } from "@/api/client";
import { words } from "@/words";
import { Button } from "./Button";
import { classes } from "./classes";
import css from "./notices.module.css";

interface NoticeProps {
  readonly title: string;
  readonly children?: ReactNode;
  readonly icon?: ReactNode;
  readonly actions?: ReactNode;
  readonly tone?: "calm" | "bad";
}

/** What stands where there is nothing to show, or something went wrong: what it is, and what to do. */
export function Notice({ title, children, icon, actions, tone = "calm" }: NoticeProps) {
  return (
    <div className={classes(css["notice"], tone === "bad" && css["bad"])} role={tone === "bad" ? "alert" : undefined}>
      {icon !== undefined && <div className={css["icon"]}>{icon}</div>}
      <p className={css["title"]}>{title}</p>
      {children !== undefined && <div className={css["text"]}>{children}</div>}
      {actions !== undefined && <div className={css["actions"]}>{actions}</div>}
    </div>
  );
}

/** A request that failed, in the server's words, with another try. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const isUnreachable = error instanceof ApiError && error.isUnreachable;
  return (
    <Notice
      tone="bad"
      title={isUnreachable ? words.failure.unreachable : words.failure.title}
      actions={<Button onPress={onRetry}>{words.failure.retry}</Button>}
    >
      {error instanceof Error && !isUnreachable ? error.message : words.failure.hint}
    </Notice>
  );
}

/** Grey lines in the place of what is on its way. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div className={css["skeleton"]} role="status" aria-label={words.loading}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <span key={line} className={css["bone"]} />
      ))}
    </div>
  );
}
