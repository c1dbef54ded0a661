import { type ReactNode, useEffect } from "react";
import { classes } from "./classes";
import css from "./page.module.css";

interface PageProps {
  readonly title: string;
  /** What stands in the window's title, where that is more than the heading. */
  readonly windowTitle?: string;
  readonly lead?: ReactNode;
  readonly icon?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly isWide?: boolean;
}

export function Page({ title, windowTitle, lead, icon, actions, children, isWide = false }: PageProps) {
  useEffect(() => {
    document.title = `${windowTitle ?? title} · Toru`;
  }, [title, windowTitle]);
  return (
    <div className={classes(css["page"], isWide && css["wide"])}>
      <header className={css["head"]}>
        {icon}
        <div className={css["names"]}>
          <h1 className={css["title"]}>{title}</h1>
          {lead !== undefined && <div className={css["lead"]}>{lead}</div>}
        </div>
        {actions !== undefined && <div className={css["actions"]}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

/** A sheet of paper with a heading. */
export function Section({ title, note, actions, children, className }: SectionProps) {
  return (
    <section className={classes(css["section"], className)} aria-label={title}>
      <header className={css["sectionHead"]}>
        <div className={css["sectionNames"]}>
          <h2 className={css["sectionTitle"]}>{title}</h2>
          {note !== undefined && <span className={css["note"]}>{note}</span>}
        </div>
        {actions !== undefined && <div className={css["sectionActions"]}>{actions}</div>}
      </header>
      {children}
    </section>
  );
}

export interface Fact {
  readonly name: string;
  /** Nothing, or false: there is nothing to say. */
  readonly value: ReactNode;
  readonly isCode?: boolean;
}

/** Names and values. What has no value is left out. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className={css["facts"]}>
      {facts
        .filter(({ value }) => value !== null && value !== undefined && value !== false && value !== "")
        .map(({ name, value, isCode }) => (
          <div key={name} className={css["fact"]}>
            <dt>{name}</dt>
            <dd className={isCode === true ? css["code"] : undefined}>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
