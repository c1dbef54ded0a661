/** What the core says, by the names that the rest of the manager uses. Generated: see schema.d.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Plugin = Schemas["PluginRow"];
export type State = Schemas["State"];
export type Health = Schemas["Health"];
export type Rejection = Schemas["RejectionRow"];
export type PluginEvent = Schemas["EventRow"];
export type EventKind = Schemas["EventKind"];
export type LogLine = Schemas["LogRow"];
export type Level = LogLine["level"];
export type Why = Schemas["WhyAnswer"];
export type Run = Schemas["RunRow"];
export type Me = Schemas["Me"];
export type Role = Schemas["Role"];
export type Scope = Schemas["Scope"];
export type User = Schemas["User"];
export type Token = Schemas["Token"];
export type KvEntry = Schemas["KvEntryRow"];
export type Figures = Schemas["FiguresAnswer"];
export type Problem = Schemas["Problem"];

/** What a plugin uses, as the live stream says it. null: not measured on this host. */
export interface Figure {
  readonly memory_bytes: number | null;
  readonly tasks: number | null;
  readonly cpu_seconds: number | null;
  readonly cpu_percent: number | null;
}
