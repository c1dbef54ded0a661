/** The lines of a plugin's log, as far as they have been read, and those that come: oldest first. */
import { answer, api, apiUrl } from "@/api/client";
import type { LogLine } from "@/api/types";
import { Store } from "@/live/store";
import { canFollow, type LogFilter, queryOf } from "./search";

const PAGE = 500;
/** More than anybody reads. The oldest are let go, and can be read again. */
export const MOST_LINES = 100_000;
/** Lines come in bursts; the screen needs them no faster than it is drawn. */
const GATHER_MILLISECONDS = 60;

export interface Lines {
  readonly lines: readonly LogLine[];
  /** How many lines were put before those that were there first: what a screen has to move by, to stay where it is. */
  readonly prepended: number;
  readonly isReading: boolean;
  readonly hasOlder: boolean;
  readonly error: unknown;
  readonly isBroken: boolean;
}

const NOTHING: Lines = {
  lines: [],
  prepended: 0,
  isReading: true,
  hasOlder: true,
  error: undefined,
  isBroken: false,
};

export class LogBook {
  readonly lines = new Store<Lines>(NOTHING);
  #next: string | null = null;
  #source: EventSource | undefined;
  #gathered: LogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(
    private readonly pluginId: string,
    private readonly filter: LogFilter,
  ) {}

  /** Reads the newest lines, and then follows. */
  async open(): Promise<void> {
    this.#isClosed = false;
    this.#change({ ...NOTHING });
    try {
      const page = await this.#page(null);
      if (this.#isClosed) return;
      this.#next = page.next_cursor;
      this.#change({ lines: [...page.logs].reverse(), isReading: false, hasOlder: page.next_cursor !== null });
      if (canFollow(this.filter)) this.#follow(page.logs[0]?.cursor);
    } catch (error) {
      if (!this.#isClosed) this.#change({ isReading: false, error });
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = [];
  }

  async readOlder(): Promise<void> {
    const { isReading, hasOlder } = this.lines.get();
    if (isReading || !hasOlder || this.#next === null) return;
    this.#change({ isReading: true, error: undefined });
    try {
      const page = await this.#page(this.#next);
      if (this.#isClosed) return;
      this.#next = page.next_cursor;
      const { lines, prepended } = this.lines.get();
      this.#change({
        lines: [...[...page.logs].reverse(), ...lines],
        prepended: prepended + page.logs.length,
        isReading: false,
        hasOlder: page.next_cursor !== null && lines.length + page.logs.length < MOST_LINES,
      });
    } catch (error) {
      if (!this.#isClosed) this.#change({ isReading: false, error });
    }
  }

  #page(cursor: string | null) {
    const query = { ...this.filter, page_size: PAGE, ...(cursor === null ? {} : { cursor }) };
    return answer(api.GET("/api/plugins/{plugin_id}/logs", { params: { path: { plugin_id: this.pluginId }, query } }));
  }

  #follow(cursor: string | undefined): void {
    const { since: _, until: __, ...filter } = this.filter;
    const more = cursor === undefined ? {} : { cursor };
    const source = new EventSource(apiUrl(`/api/plugins/${this.pluginId}/logs/stream${queryOf(filter, more)}`));
    this.#source = source;
    source.addEventListener("open", () => this.#change({ isBroken: false }));
    source.addEventListener("log", (event) => {
      this.#gathered.push(JSON.parse(event.data) as LogLine);
      this.#timer ??= setTimeout(() => this.#append(), GATHER_MILLISECONDS);
    });
    source.addEventListener("error", () => {
      this.#change({ isBroken: true });
      // The browser comes again with the last cursor, unless the answer was no stream at all.
      if (source.readyState !== EventSource.CLOSED) return;
      const last = this.#gathered.at(-1) ?? this.lines.get().lines.at(-1);
      setTimeout(() => this.#source === source && this.#follow(last?.cursor), 2000);
    });
  }

  #append(): void {
    this.#timer = undefined;
    const { lines, prepended } = this.lines.get();
    const all = [...lines, ...this.#gathered];
    this.#gathered = [];
    const excess = Math.max(0, all.length - MOST_LINES);
    this.#change({ lines: excess > 0 ? all.slice(excess) : all, prepended: prepended - excess });
  }

  #change(change: Partial<Lines>): void {
    this.lines.set({ ...this.lines.get(), ...change });
  }
}
