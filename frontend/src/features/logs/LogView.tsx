import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, ScrollText, SearchX } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { date } from "@/ui/format";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { words } from "@/words";
import type { Lines, LogBook } from "./LogBook";
import { LogRow } from "./LogRow";
import css from "./Logs.module.css";

interface LogViewProps {
  readonly book: LogBook;
  readonly wanted: string;
  readonly isFiltered: boolean;
  readonly wraps: boolean;
}

const LINE_PIXELS = 24;
/** So near the end counts as at the end; so near the beginning, older lines are read. */
const NEAR_END = 24;
const NEAR_BEGINNING = 600;
const UP_KEYS = new Set(["ArrowUp", "PageUp", "Home"]);

/** Follows as long as its end is in sight: scrolling up stops it, and scrolling down goes on. */
export function LogView({ book, wanted, isFiltered, wraps }: LogViewProps) {
  const state = useSyncExternalStore(book.lines.subscribe, book.lines.get);
  const { lines, isReading, hasOlder, hasNewer, error } = state;
  const place = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const [follows, setFollows] = useState(true);
  const [seen, setSeen] = useState(0);
  const [opened, setOpened] = useState<string | null>(null);
  const newest = lines.at(-1)?.cursor;

  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => place.current,
    estimateSize: () => LINE_PIXELS,
    getItemKey: (index) => lines[index]?.cursor ?? index,
    overscan: 20,
    // What is in sight stays where it is, when there is more above it.
    anchorTo: "end",
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: lines that are wrapped have other heights
  useLayoutEffect(() => virtual.measure(), [wraps]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is a new line
  useLayoutEffect(() => {
    if (follows && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [follows, newest, wraps]);

  useEffect(() => {
    // Also where the lines that were found don't fill the screen, and so there is nothing to scroll.
    if (hasOlder && !isReading && error === undefined && (place.current?.scrollTop ?? 0) < NEAR_BEGINNING) {
      void book.readOlder();
    }
  }, [book, hasOlder, isReading, error]);

  function pause(): void {
    if (!follows) return;
    book.isAtEnd = false;
    setSeen(state.arrived);
    setFollows(false);
  }

  function resume(): void {
    setFollows(true);
    if (hasNewer) void book.open();
    else book.isAtEnd = true;
  }

  function onScroll(): void {
    const element = place.current;
    if (element === null) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    // Who goes up a little is still near the end, and wants to leave it.
    const goesUp = element.scrollTop < lastTop.current;
    if (goesUp && left > NEAR_END) pause();
    if (!goesUp && left <= NEAR_END) onEnd();
    lastTop.current = element.scrollTop;
    if (element.scrollTop < NEAR_BEGINNING) void book.readOlder();
  }

  /** At once: the next line, which may come any moment, must not pull back whoever goes up. */
  function onUp(): void {
    if ((place.current?.scrollTop ?? 0) > 0) pause();
  }

  /** At once too: lines that come while the browser is on its way down would put the end out of reach. */
  function onEnd(): void {
    if (!follows && !hasNewer) resume();
  }

  function onKey(key: string): void {
    if (UP_KEYS.has(key)) onUp();
    else if (key === "End") onEnd();
  }

  if (error !== undefined && lines.length === 0) return <Failure error={error} onRetry={() => void book.open()} />;
  if (lines.length === 0 && hasOlder) return <Skeleton lines={8} />;
  if (lines.length === 0) {
    return (
      <div className={css["empty"]}>
        <Notice
          icon={isFiltered ? <SearchX aria-hidden /> : <ScrollText aria-hidden />}
          title={isFiltered ? words.logs.noneFound : words.logs.none}
        >
          {isFiltered ? words.logs.noneFoundHint : words.logs.noneHint}
        </Notice>
        <Foot state={state} follows={follows} onRetry={() => void book.readOlder()} />
      </div>
    );
  }
  const items = virtual.getVirtualItems();
  return (
    <div className={css["frame"]}>
      <section
        ref={place}
        className={classes(css["lines"], wraps && css["wraps"])}
        aria-label={words.logs.list}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keyboard too
        tabIndex={0}
        onScroll={onScroll}
        onWheel={(event) => event.deltaY < 0 && onUp()}
        onKeyDown={(event) => onKey(event.key)}
        data-lines={lines.length}
      >
        {!hasOlder && <p className={css["beginning"]}>{words.logs.beginning}</p>}
        <div className={css["all"]} style={{ height: virtual.getTotalSize() }}>
          <div className={css["shown"]} style={{ translate: `0 ${items[0]?.start ?? 0}px` }}>
            {items.map((item) => {
              const line = lines[item.index];
              return (
                line && (
                  <div key={item.key} ref={virtual.measureElement} data-index={item.index}>
                    <LogRow
                      line={line}
                      day={dayBegun(lines, item.index)}
                      wanted={wanted}
                      isOpen={opened === line.cursor}
                      onToggle={() => setOpened(opened === line.cursor ? null : line.cursor)}
                    />
                  </div>
                )
              );
            })}
          </div>
        </div>
      </section>
      <Foot state={state} follows={follows} onRetry={() => void book.readOlder()} />
      {!follows && (
        <div className={css["resume"]}>
          <Button kind="primary" size="small" onPress={resume}>
            <ArrowDownToLine aria-hidden />
            {hasNewer ? words.logs.toNewest : words.logs.resume(Math.max(0, state.arrived - seen))}
          </Button>
        </div>
      )}
    </div>
  );
}

/** The day, where a line is the first of one. The rows themselves have only the time of day. */
function dayBegun(lines: Lines["lines"], index: number): string | undefined {
  const [before, line] = [lines[index - 1], lines[index]];
  if (line === undefined) return undefined;
  const day = date(new Date(line.at));
  return before !== undefined && date(new Date(before.at)) === day ? undefined : day;
}

interface FootProps {
  readonly state: Lines;
  readonly follows: boolean;
  readonly onRetry: () => void;
}

function Foot({ state, follows, onRetry }: FootProps) {
  const { lines, isReading, error, following } = state;
  return (
    <p className={css["foot"]}>
      <span>
        {words.logs.lines(lines.length)}
        {isReading && ` · ${words.logs.loadingOlder}`}
        {error !== undefined && (
          <>
            {` · ${words.failure.title} `}
            <Button kind="quiet" size="small" onPress={onRetry}>
              {words.failure.retry}
            </Button>
          </>
        )}
      </span>
      <span
        className={css["followState"]}
        role="status"
        data-following={following === "open" && !follows ? "paused" : following}
      >
        {followingWords(state, follows)}
      </span>
    </p>
  );
}

function followingWords({ following, hasNewer }: Lines, follows: boolean): string {
  if (following === "ended") return words.logs.ended;
  if (hasNewer || !follows) return words.logs.paused;
  if (following === "broken") return words.logs.broken;
  return following === "open" ? words.logs.following : words.logs.connecting;
}
