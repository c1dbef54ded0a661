import { Link, type LinkProps } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import css from "./Tabs.module.css";

export interface Tab {
  readonly label: string;
  readonly link: LinkProps;
  /** Other tabs lie below its address. */
  readonly isIndex?: boolean;
}

/** Parts of a page, each with an address of its own. */
export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  return (
    <nav className={css["tabs"]} aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.label}
          {...tab.link}
          className={css["tab"] ?? ""}
          activeOptions={{ exact: tab.isIndex ?? false, includeSearch: false }}
          activeProps={{ "aria-current": "page" }}
        >
          {({ isActive }) => <Label text={tab.label} isActive={isActive} />}
        </Link>
      ))}
    </nav>
  );
}

/** A phone has no room for all of them: the one that is open comes into sight. */
function Label({ text, isActive }: { readonly text: string; readonly isActive: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const [tab, strip] = [place.current?.closest("a"), place.current?.closest("nav")];
    // Not scrollIntoView, which would move the page as well.
    if (isActive && tab && strip) strip.scrollLeft = tab.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
  }, [isActive]);
  return <span ref={place}>{text}</span>;
}
