import { Link, type LinkProps } from "@tanstack/react-router";
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
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
