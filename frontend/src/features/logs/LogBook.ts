/** The lines of a plugin's log, as far as they have been read, and those that come: oldest first, each of them once. */
import { answer, api, apiUrl } from "@/api/client";
import type { LogLine } from "@/api/types";
import { Store } from "@/live/store";
import { canFollow, type LogFilter, queryOf } from "./search";

const FIRST_PAGE = 500;
const OLDER_PAGE = 1000;
/** More than anybody reads. What is beyond that, at the end that nobody looks at, is let go and can be read again. */
export const MOST_LINES = 100_000;
/** Lines come in bursts; the screen needs them no faster than it is drawn. */
const GATHER_MILLISECONDS = 100;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 10_000;

/** `ended`: the range is over, there is nothing to wait for. `broken`: it is sought again. */
export type Following = "connecting" | "open" | "broken" | "ended";

export interface Lines {
  readonly lines: readonly LogLine[];
  /** How many have come since it was opened. */
  readonly arrived: number;
  readonly isReading: boolean;
  readonly hasOlder: boolean;
  /** The newest were let go, while somebody read far above them. `open` brings them back. */
  readonly hasNewer: boolean;
  readonly following: Following;
  readonly error: unknown;
}

const NOTHING: Lines = {
  lines: [],
  arrived: 0,
  isReading: true,
  hasOlder: true,
  hasNewer: false,
  following: "connecting",
  error: undefined,
};

export class LogBook {
  readonly lines = new Store<Lines>(NOTHING);
  /** Whether somebody looks at the end, and so the beginning is what may be let go. */
  isAtEnd = true;
  #next: string | null = null;
  #source: EventSource | undefined;
  #gathered: LogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #wait = FIRST_WAIT;
  /** What was asked for before this is no longer of interest when it is answered. */
  #round = 0;

  constructor(
    private readonly pluginId: string,
    private readonly filter: LogFilter,
  ) {}

  /** Reads the newest lines, and then follows. */
  async open(): Promise<void> {
    this.close();
    const round = this.#round;
    this.isAtEnd = true;
    this.#change(NOTHING);
    document.addEventListener("visibilitychange", this.#onVisibility);
    try {
      const page = await this.#page(null);
      if (round !== this.#round) return;
      this.#next = page.next_cursor;
      this.#change({ lines: page.logs.reverse(), isReading: false, hasOlder: page.next_cursor !== null });
      if (canFollow(this.filter)) this.#follow();
      else this.#change({ following: "ended" });
    } catch (error) {
      if (round === this.#round) this.#change({ isReading: false, error });
    }
  }

  close(): void {
    this.#round += 1;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#leave();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = [];
  }

  async readOlder(): Promise<void> {
    const { isReading, hasOlder } = this.lines.get();
    if (isReading || !hasOlder || this.#next === null) return;
    const round = this.#round;
    this.#change({ isReading: true, error: undefined });
    try {
      const page = await this.#page(this.#next);
      if (round !== this.#round) return;
      this.#next = page.next_cursor;
      const lines = [...page.logs.reverse(), ...this.lines.get().lines];
      this.#change({ lines, isReading: false, hasOlder: page.next_cursor !== null });
      if (lines.length > MOST_LINES) this.#letNewestGo();
    } catch (error) {
      if (round === this.#round) this.#change({ isReading: false, error });
    }
  }

  #page(cursor: string | null) {
    const size = cursor === null ? { page_size: FIRST_PAGE } : { page_size: OLDER_PAGE, cursor };
    const query = { ...this.filter, ...size };
    return answer(api.GET("/api/plugins/{plugin_id}/logs", { params: { path: { plugin_id: this.pluginId }, query } }));
  }

  /**
   * From the newest line that is known. The browser's own way to come again would begin now, as long as no line has come,
   * and lose what was written meanwhile.
   */
  #follow(): void {
    const { since: _, until: __, ...filter } = this.filter;
    const cursor = (this.#gathered.at(-1) ?? this.lines.get().lines.at(-1))?.cursor;
    const query = queryOf(filter, cursor === undefined ? {} : { cursor });
    const source = new EventSource(apiUrl(`/api/plugins/${this.pluginId}/logs/stream${query}`));
    this.#source = source;
    source.addEventListener("open", () => {
      this.#wait = FIRST_WAIT;
      this.#change({ following: "open" });
      if (cursor === undefined) void this.#lookAgain();
    });
    source.addEventListener("log", (event) => this.#gather(JSON.parse(event.data) as LogLine));
    source.addEventListener("error", () => this.#seek());
  }

  #leave(): void {
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = undefined;
  }

  #seek(): void {
    this.#leave();
    this.#change({ following: "broken" });
    this.#again = setTimeout(() => this.#follow(), this.#wait);
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
  }

  /** A browser has few connections for each host: a page that nobody sees needs none, and misses nothing. */
  readonly #onVisibility = (): void => {
    const { following, hasNewer, isReading, lines } = this.lines.get();
    if (following === "ended" || hasNewer || (isReading && lines.length === 0)) return;
    this.#leave();
    if (document.visibilityState === "visible") this.#follow();
  };

  /** A stream that began without a line to begin from doesn't have what came between the first look and its beginning. */
  async #lookAgain(): Promise<void> {
    const round = this.#round;
    try {
      const page = await this.#page(null);
      if (round !== this.#round) return;
      const known = new Set([...this.lines.get().lines, ...this.#gathered].map((line) => line.cursor));
      const missed = page.logs.reverse().filter((line) => !known.has(line.cursor));
      if (missed.length === 0) return;
      this.#gathered.unshift(...missed);
      this.#timer ??= setTimeout(() => this.#append(), GATHER_MILLISECONDS);
    } catch {
      if (round === this.#round) this.#seek();
    }
  }

  #gather(line: LogLine): void {
    this.#gathered.push(line);
    this.#timer ??= setTimeout(() => this.#append(), GATHER_MILLISECONDS);
  }

  #append(): void {
    this.#timer = undefined;
    const { lines, arrived } = this.lines.get();
    const all = [...lines, ...this.#gathered];
    const change = { arrived: arrived + this.#gathered.length };
    this.#gathered = [];
    if (all.length <= MOST_LINES) this.#change({ ...change, lines: all });
    else if (this.isAtEnd) {
      const kept = all.slice(all.length - MOST_LINES);
      this.#next = kept[0]?.cursor ?? null;
      this.#change({ ...change, lines: kept, hasOlder: true });
    } else {
      this.#change({ ...change, lines: all });
      this.#letNewestGo();
    }
  }

  #letNewestGo(): void {
    this.#leave();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gathered = [];
    this.#change({ lines: this.lines.get().lines.slice(0, MOST_LINES), hasNewer: true });
  }

  #change(change: Partial<Lines>): void {
    this.lines.set({ ...this.lines.get(), ...change });
  }
}
