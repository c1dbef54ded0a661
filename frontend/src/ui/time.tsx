import { useSyncExternalStore } from "react";
import { words } from "@/words";
import { ago, dateAndTime } from "./format";

/** One clock for all that counts: it runs only while somebody looks at it. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time, each second anew. */
export function useNow(): Date {
  return new Date(useSyncExternalStore(subscribe, () => now));
}

/** `3 min ago`, with the whole of it on hover. */
export function Ago({ then }: { readonly then: Date }) {
  const current = useNow();
  return (
    <time dateTime={then.toISOString()} title={dateAndTime(then)}>
      {ago(then, current)}
    </time>
  );
}

/** Counts down to a moment of `performance.now()`. */
export function Countdown({ to }: { readonly to: number }) {
  useNow();
  const seconds = Math.ceil((to - performance.now()) / 1000);
  return <span role="timer">{seconds > 0 ? words.inSeconds(seconds) : words.now}</span>;
}
