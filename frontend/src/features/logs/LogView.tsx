import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownToLine, ScrollText, SearchX } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { words } from "@/words";
import type { Lines, LogBook } from "./LogBook";
import { LogRow } from "./LogRow";
import css from "./Logs.module.css";

interface LogViewProps {
  readonly book: LogBook;
  readonly lines: Lines;
  readonly wanted: string;
  readonly wraps: boolean;
}

const LINE_PIXELS = 24;
/** So near the end counts as at the end; so near the beginning, older lines are read. */
const NEAR_END = 24;
const NEAR_BEGINNING = 600;
const UP_KEYS = new Set(["ArrowUp", "PageUp", "Home"]);

/** Follows as long as its end is in sight: scrolling up stops it, and scrolling down goes on. */
export function LogView({ book, lines: state, wanted, wraps }: LogViewProps) {
  const { lines, isReading, hasOlder, error, prepended } = state;
  const place = useRef<HTMLDivElement>(null);
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
  });

  const before = useRef(prepended);
  useLayoutEffect(() => {
    // What is in sight stays where it is, when there is more above it.
    const added = prepended - before.current;
    before.current = prepended;
    if (added > 0 && place.current !== null) place.current.scrollTop += added * LINE_PIXELS;
  }, [prepended]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there is a new line
  useLayoutEffect(() => {
    if (follows && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [follows, newest, wraps]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: how many there were, when it stopped following
  useEffect(() => setSeen(lines.length + 0), [follows]);

  function onScroll(): void {
    const element = place.current;
    if (element === null) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (left <= NEAR_END) setFollows(true);
    if (element.scrollTop < NEAR_BEGINNING) void book.readOlder();
  }

  /** At once: the next line, which may come any moment, must not pull back whoever goes up. */
  function onUp(): void {
    if ((place.current?.scrollTop ?? 0) > 0) setFollows(false);
  }

  /** Only a person's own scrolling stops it, not what measuring lines does to the height. */
  function onMovedByHand(): void {
    const element = place.current;
    if (element === null) return;
    requestAnimationFrame(() => {
      const left = element.scrollHeight - element.scrollTop - element.clientHeight;
      if (left > NEAR_END) setFollows(false);
    });
  }

  if (error !== undefined && lines.length === 0) return <Failure error={error} onRetry={() => void book.open()} />;
  if (isReading && lines.length === 0) return <Skeleton lines={8} />;
  const isFiltered = wanted !== "" || !hasOlder;
  if (lines.length === 0 && !hasOlder) {
    return (
      <div className={css["empty"]}>
        <Notice
          icon={isFiltered && wanted !== "" ? <SearchX aria-hidden /> : <ScrollText aria-hidden />}
          title={wanted === "" ? words.logs.none : words.logs.noneFound}
        >
          {wanted === "" ? words.logs.noneHint : words.logs.noneFoundHint}
        </Notice>
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
        onKeyDown={(event) => UP_KEYS.has(event.key) && onUp()}
        onTouchMove={onMovedByHand}
        onPointerUp={onMovedByHand}
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
      <p className={css["foot"]}>
        <span>
          {words.logs.lines(lines.length)}
          {isReading && ` · ${words.logs.loadingOlder}`}
          {error !== undefined && ` · ${words.failure.title}`}
        </span>
        <span className={css["followState"]} data-follows={follows}>
          {state.isBroken ? words.logs.broken : follows ? words.logs.following : words.logs.paused}
        </span>
      </p>
      {!follows && (
        <div className={css["resume"]}>
          <Button kind="primary" size="small" onPress={() => setFollows(true)}>
            <ArrowDownToLine aria-hidden />
            {words.logs.resume(Math.max(0, lines.length - seen))}
          </Button>
        </div>
      )}
    </div>
  );
}
