import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import css from "./VirtualRows.module.css";

interface VirtualRowsProps<T> {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  /** As high as a row is thought to be, until it is seen. */
  readonly pixels: number;
  /** What scrolls around these rows. It is asked for in the document: a ref of it may be set too late. */
  readonly scroller: (rows: HTMLElement) => HTMLElement | null;
  readonly role?: "rowgroup" | "list";
  readonly children: (item: T, index: number) => ReactNode;
}

/** Of many rows only those in the document that are in sight, or nearly so. */
export function VirtualRows<T>({ items, keyOf, pixels, scroller, role, children }: VirtualRowsProps<T>) {
  const place = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    if (place.current === null) return;
    const scrolls = scroller(place.current);
    if (scrolls === null) return;
    const above = place.current.getBoundingClientRect().top - scrolls.getBoundingClientRect().top + scrolls.scrollTop;
    setMargin(above);
  }, [scroller]);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => (place.current === null ? null : scroller(place.current)),
    estimateSize: () => pixels,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: 10,
    scrollMargin: margin,
  });
  const shown = virtual.getVirtualItems();
  return (
    <div ref={place} role={role} className={css["all"]} style={{ height: virtual.getTotalSize() }}>
      <div role="presentation" className={css["shown"]} style={{ translate: `0 ${(shown[0]?.start ?? 0) - margin}px` }}>
        {shown.map(({ key, index }) => {
          const item = items[index];
          return (
            item !== undefined && (
              <div key={key} ref={virtual.measureElement} data-index={index} role="presentation">
                {children(item, index)}
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}
