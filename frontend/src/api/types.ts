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
export type AnyRun = Schemas["AnyRunRow"];
export type Unit = Schemas["UnitRow"];
export type Setting = Schemas["SettingRow"];
export type SettingGroup = Schemas["SettingGroup"];
export type DropIn = Schemas["DropInRow"];
export type DropInLine = Schemas["AssignmentRow"];
export type Loosening = Schemas["LooseningRow"];
export type Grade = Schemas["Grade"];
export type Origin = Schemas["Origin"];
export type Me = Schemas["Me"];
export type Role = Schemas["Role"];
export type Scope = Schemas["Scope"];
export type User = Schemas["User"];
export type Token = Schemas["Token"];
export type BrowserSession = Schemas["SessionRow"];
export type KvEntry = Schemas["KvEntryRow"];
export type Figures = Schemas["FiguresAnswer"];
export type Host = Schemas["HostAnswer"];
export type Problem = Schemas["Problem"];

/** What a plugin uses, as the live stream says it. null: not measured on this host. */
export interface Figure {
  readonly memory_bytes: number | null;
  readonly tasks: number | null;
  readonly cpu_seconds: number | null;
  readonly cpu_percent: number | null;
  readonly requests_per_second: number | null;
  readonly errors_per_second: number | null;
  /** Since the time before. */
  readonly restarts: number;
}
