/** How the server's words about sandboxes look. A word that has no row here does not compile. */
import type { Grade, Loosening, Origin } from "@/api/types";
import type { Glyph, Tone } from "@/parts/appearance";
import { words } from "@/words";

interface GradeLook {
  readonly label: string;
  readonly text: string;
  readonly tone: Tone;
  readonly glyph: Glyph;
}

const { grades, weights, origins } = words.units;

export const GRADES: Readonly<Record<Grade, GradeLook>> = {
  tight: { ...grades.tight, tone: "ok", glyph: "full" },
  good: { ...grades.good, tone: "ok", glyph: "full" },
  loosened: { ...grades.loosened, tone: "warn", glyph: "half" },
  open: { ...grades.open, tone: "bad", glyph: "cross" },
};

export const WEIGHTS: Readonly<Record<Loosening["weight"], { readonly label: string; readonly tone: Tone }>> = {
  severe: { label: weights.severe, tone: "bad" },
  major: { label: weights.major, tone: "warn" },
  minor: { label: weights.minor, tone: "off" },
};

export const ORIGINS: Readonly<Record<Origin, string>> = origins;

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
