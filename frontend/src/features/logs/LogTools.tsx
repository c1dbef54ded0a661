import { useQuery } from "@tanstack/react-query";
import { Copy, Download, WrapText } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { ToggleButton } from "react-aria-components";
import { answer, api, apiUrl } from "@/api/client";
import type { PluginEvent } from "@/api/types";
import { useRecentEvents } from "@/live/hooks";
import { LEVELS } from "@/parts/appearance";
import { copied } from "@/parts/CopyButton";
import { buttonClasses, IconButton } from "@/ui/Button";
import { SearchField, Select, TextField } from "@/ui/fields";
import { dateAndTime } from "@/ui/format";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import type { LogBook } from "./LogBook";
import css from "./Logs.module.css";
import { LEVEL_CHOICES, type LevelChoice, type LogFilter, type LogSearch, queryOf, RANGES, type Range } from "./search";
import { asText } from "./text";

interface LogToolsProps {
  readonly pluginId: string;
  readonly currentRun: string | null;
  readonly search: LogSearch;
  readonly filter: LogFilter;
  readonly book: LogBook;
  readonly wraps: boolean;
  readonly onWrap: (wraps: boolean) => void;
  readonly onSearch: (search: LogSearch) => void;
}

const TYPING_MILLISECONDS = 300;
const STARTS: PluginEvent["event_type"][] = ["started", "restarted"];

export function LogTools({ pluginId, currentRun, search, filter, book, wraps, onWrap, onSearch }: LogToolsProps) {
  const runs = useRuns(pluginId, currentRun, search.run);
  async function copy(): Promise<void> {
    const { lines } = book.lines.get();
    const isDone = await copied(lines.map(asText).join("\n"));
    toast(isDone ? words.logs.copiedLines(lines.length) : words.logs.copyFailed, isDone ? "success" : "error");
  }
  return (
    <div className={css["tools"]}>
      <TypedSearch value={search.q ?? ""} onChange={(q) => onSearch({ ...search, q })} />
      <Select
        label={words.logs.level}
        value={search.level ?? "debug"}
        options={LEVEL_CHOICES.map((id) => ({
          id,
          label: id === "debug" ? words.logs.everyLevel : words.logs.levelOption(LEVELS[id].label),
        }))}
        onChange={(level: LevelChoice) => onSearch({ ...search, level })}
      />
      <Select
        label={words.logs.range}
        value={search.range ?? "all"}
        options={RANGES.map((id) => ({ id, label: words.logs.ranges[id] }))}
        onChange={(range: Range) => onSearch({ ...search, range })}
      />
      <Select
        label={words.logs.run}
        value={search.run ?? "every"}
        options={runs}
        onChange={(run) => onSearch(run === "every" ? without(search, "run") : { ...search, run })}
      />
      <div className={css["buttons"]}>
        <ToggleButton className={css["toggle"] ?? ""} isSelected={wraps} onChange={onWrap} aria-label={words.logs.wrap}>
          <WrapText aria-hidden />
        </ToggleButton>
        <IconButton label={words.logs.copy} onPress={() => void copy()}>
          <Copy aria-hidden />
        </IconButton>
        <a
          className={`${buttonClasses("quiet")} ${css["download"]}`}
          href={apiUrl(`/api/plugins/${pluginId}/logs/download${queryOf(filter)}`)}
          aria-label={words.logs.download}
          title={words.logs.download}
          download
        >
          <Download aria-hidden />
        </a>
      </div>
      {search.range === "custom" && (
        <div className={css["between"]}>
          <Moment
            label={words.logs.from}
            value={search.since}
            onChange={(since) => onSearch(withMoment(search, "since", since))}
          />
          <Moment
            label={words.logs.to}
            value={search.until}
            onChange={(until) => onSearch(withMoment(search, "until", until))}
          />
        </div>
      )}
    </div>
  );
}

/** Asks when somebody has stopped typing. */
function TypedSearch({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  // What is done then is no reason to wait anew.
  const act = useRef(onChange);
  act.current = onChange;
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => act.current(typed), TYPING_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return (
    <SearchField
      label={words.logs.search}
      placeholder={words.logs.searchHint}
      clearLabel={words.clear}
      value={typed}
      onChange={setTyped}
    />
  );
}

interface MomentProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string) => void;
}

function Moment({ label, value, onChange }: MomentProps) {
  return (
    <TextField
      label={label}
      type="datetime-local"
      value={value === undefined ? "" : localMoment(new Date(value))}
      onChange={(local) => onChange(local === "" ? "" : new Date(local).toISOString())}
    />
  );
}

/** As an input of a browser wants it: in local time, without a zone. */
function localMoment(then: Date): string {
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function withMoment(search: LogSearch, key: "since" | "until", value: string): LogSearch {
  return value === "" ? without(search, key) : { ...search, [key]: value };
}

function without(search: LogSearch, key: keyof LogSearch): LogSearch {
  const { [key]: _, ...rest } = search;
  return rest;
}

/** The runs that can be chosen: the one now, those that events tell of, and the one that is chosen. */
function useRuns(pluginId: string, currentRun: string | null, chosen: string | undefined) {
  const events = useQuery({
    queryKey: ["runs", pluginId],
    queryFn: () =>
      answer(
        api.GET("/api/plugins/{plugin_id}/events", {
          params: { path: { plugin_id: pluginId }, query: { kind: STARTS, page_size: 30 } },
        }),
      ),
  });
  const seen = useRecentEvents().filter((event) => event.plugin_id === pluginId && STARTS.includes(event.event_type));
  const options = new Map<string, { id: string; label: string; detail?: string }>([
    ["every", { id: "every", label: words.logs.everyRun }],
  ]);
  if (currentRun !== null) options.set(currentRun, { id: currentRun, label: words.logs.thisRun });
  for (const event of [...seen, ...(events.data?.events ?? [])]) {
    const run = event.details["invocation_id"];
    if (typeof run !== "string" || options.has(run)) continue;
    options.set(run, {
      id: run,
      label: words.logs.oneRun(run.slice(0, 8)),
      detail: dateAndTime(new Date(event.timestamp)),
    });
  }
  if (chosen !== undefined && !options.has(chosen)) {
    options.set(chosen, { id: chosen, label: words.logs.oneRun(chosen.slice(0, 8)) });
  }
  return [...options.values()];
}
