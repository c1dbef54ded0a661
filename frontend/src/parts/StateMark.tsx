import type { Plugin } from "@/api/types";
import { classes } from "@/ui/classes";
import { Countdown } from "@/ui/time";
import { appearance, type Glyph, type Tone } from "./appearance";
import css from "./StateMark.module.css";

const SHAPES: Readonly<Record<Glyph, React.ReactNode>> = {
  full: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  ring: <circle cx="6" cy="6" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  moon: <path d="M4.6 1.6a4.6 4.6 0 1 0 5.8 5.8A3.9 3.9 0 0 1 4.6 1.6Z" fill="currentColor" />,
  bars: <path d="M3.6 2v8M8.4 2v8" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />,
  turning: (
    <path
      d="M6 1.75A4.25 4.25 0 1 1 1.75 6"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
    />
  ),
  waiting: (
    <>
      <circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6 3.4V6l1.8 1.2" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
  cross: <path d="m2.6 2.6 6.8 6.8m0-6.8L2.6 9.4" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />,
  half: (
    <>
      <circle cx="6" cy="6" r="3.9" fill="none" stroke="currentColor" strokeWidth="1.4" />
      <path d="M6 2.1a3.9 3.9 0 0 1 0 7.8Z" fill="currentColor" />
    </>
  ),
};

/** A sign that can be told apart by its form, not by its colour alone. */
export function StateGlyph({ glyph, tone, className }: { glyph: Glyph; tone: Tone; className?: string | undefined }) {
  return (
    <svg
      viewBox="0 0 12 12"
      aria-hidden="true"
      className={classes(css["glyph"], css[`${tone}Ink`], glyph === "turning" && css["turning"], className)}
    >
      {SHAPES[glyph]}
    </svg>
  );
}

export function Pill({ glyph, tone, children }: { glyph?: Glyph; tone: Tone; children: React.ReactNode }) {
  return (
    <span className={classes(css["pill"], css[tone])}>
      {glyph !== undefined && <StateGlyph glyph={glyph} tone={tone} />}
      {children}
    </span>
  );
}

/** A plugin's state in a word; while it backs off, with the seconds that are left. */
export function StatePill({ plugin }: { plugin: Plugin & { readonly retryAt: number | null } }) {
  const { label, tone, glyph } = appearance(plugin);
  return (
    <Pill glyph={glyph} tone={tone}>
      {label}
      {plugin.retryAt !== null && (
        <span className={css["countdown"]}>
          <Countdown to={plugin.retryAt} />
        </span>
      )}
    </Pill>
  );
}
