/**
 * What happens on the server, as it happens: the only way by which the state of plugins comes onto the screen.
 *
 * After `hello` the list of plugins is read once. What the stream says meanwhile waits, and is laid over it: the stream
 * is in order, so the last word on each plugin is always the newest.
 */
import { answer, api, apiUrl } from "@/api/client";
import type { Figure, Host, Plugin, PluginEvent, Rejection } from "@/api/types";
import { extended, type History, NO_HISTORY, pointOf, summed } from "./history";
import { Store } from "./store";

/** A plugin, and when it next tries to start, by this browser's clock (`performance.now()`). */
export interface LivePlugin extends Plugin {
  readonly retryAt: number | null;
}

export type Plugins = ReadonlyMap<string, LivePlugin>;

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** `since`: when it was lost. `tries`: how often it was sought in vain. */
  | { readonly kind: "lost"; readonly since: Date; readonly tries: number };

const RECENT_EVENTS = 500;
const LONGEST_WAIT = 10_000;

type Waiting = () => void;

export class Live {
  readonly connection = new Store<Connection>({ kind: "connecting" });
  /** undefined: not known yet. */
  readonly plugins = new Store<Plugins | undefined>(undefined);
  readonly rejected = new Store<readonly Rejection[]>([]);
  /** What has happened since this page was opened, newest first. */
  readonly events = new Store<readonly PluginEvent[]>([]);
  readonly figures = new Store<ReadonlyMap<string, Figure>>(new Map());
  /** Of those that `follow` named, and of all together, since then. */
  readonly histories = new Store<ReadonlyMap<string, History>>(new Map());
  readonly total = new Store<History>(NO_HISTORY);
  /** undefined: not known yet, or not for this person. */
  readonly host = new Store<Host | undefined>(undefined);
  readonly version = new Store<string | undefined>(undefined);

  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: Waiting[] | undefined;
  #round = 0;

  constructor(
    readonly isAdmin: boolean,
    /** Called when the stream can't be had: perhaps because nobody is signed in any more. */
    private readonly onRefused: () => void,
    /** Called when it can be had again: what else was read before may be old, for nobody told of changes meanwhile. */
    private readonly onAgain: () => void,
  ) {}

  open(): void {
    if (this.#source !== undefined) return;
    const source = new EventSource(apiUrl("/api/stream"));
    this.#source = source;
    const on = <T>(name: string, take: (data: T) => void): void =>
      source.addEventListener(name, (event) => {
        const data = JSON.parse(event.data) as T;
        if (this.#waiting === undefined) take(data);
        else this.#waiting.push(() => take(data));
      });
    source.addEventListener("hello", (event) => {
      this.version.set((JSON.parse(event.data) as { version: string }).version);
      void this.#readAll();
    });
    source.addEventListener("behind", () => this.#again(0));
    on<Plugin>("plugin", (plugin) => this.#put(plugin));
    on<{ id: string }>("gone", ({ id }) => this.#remove(id));
    on<readonly Rejection[]>("rejected", (rejected) => this.rejected.set(rejected));
    on<PluginEvent>("event", (event) => this.events.set([event, ...this.events.get()].slice(0, RECENT_EVENTS)));
    on<{ at: number; plugins: Record<string, Figure> }>("figures", ({ at, plugins }) => this.#measure(at, plugins));
    on<Host>("host", (host) => this.host.set(host));
    source.addEventListener("error", () => this.#lose());
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    this.#round += 1;
    this.#waiting = undefined;
  }

  /** Seeks a lost connection now, rather than when its time has come. */
  retry(): void {
    if (this.connection.get().kind === "lost") this.#again(0);
  }

  /** From now on this plugin's figures are kept: those of all, of hundreds, would fill the browser. */
  follow(id: string): void {
    if (!this.histories.get().has(id)) this.histories.set(new Map(this.histories.get()).set(id, NO_HISTORY));
  }

  async #readAll(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    const isAgain = this.plugins.get() !== undefined;
    this.#waiting = [];
    try {
      const [plugins, rejected] = await Promise.all([
        answer(api.GET("/api/plugins")),
        this.isAdmin ? answer(api.GET("/api/rejected")) : [],
      ]);
      if (round !== this.#round) return;
      const now = performance.now();
      this.plugins.set(new Map(plugins.map((plugin) => [plugin.id, live(plugin, now)])));
      this.rejected.set(rejected);
    } catch {
      if (round === this.#round) this.#lose();
      return;
    }
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const take of waiting) take();
    this.connection.set({ kind: "live" });
    if (isAgain) this.onAgain();
  }

  #put(plugin: Plugin): void {
    this.plugins.set(new Map(this.plugins.get()).set(plugin.id, live(plugin, performance.now())));
    if (!hasProcess(plugin)) this.#forgetFigure(plugin.id);
  }

  #remove(id: string): void {
    const left = new Map(this.plugins.get());
    left.delete(id);
    this.plugins.set(left);
    this.#forgetFigure(id);
  }

  #forgetFigure(id: string): void {
    if (!this.figures.get().has(id)) return;
    const left = new Map(this.figures.get());
    left.delete(id);
    this.figures.set(left);
  }

  #measure(at: number, plugins: Readonly<Record<string, Figure>>): void {
    this.figures.set(new Map(Object.entries(plugins)));
    this.total.set(extended(this.total.get(), at, summed(Object.values(plugins).map(pointOf))));
    const histories = [...this.histories.get()].map(
      ([id, history]) => [id, extended(history, at, pointOf(plugins[id]))] as const,
    );
    this.histories.set(new Map(histories));
  }

  #lose(): void {
    const before = this.connection.get();
    const tries = before.kind === "lost" ? before.tries + 1 : 0;
    this.connection.set({ kind: "lost", since: before.kind === "lost" ? before.since : new Date(), tries });
    // A browser comes again by itself after an answer that broke off, but not after one that was no stream.
    this.#again(Math.min(LONGEST_WAIT, 500 * 2 ** tries));
    if (tries > 0) this.onRefused();
  }

  #again(milliseconds: number): void {
    this.close();
    this.#timer = setTimeout(() => this.open(), milliseconds);
  }
}

function live(plugin: Plugin, now: number): LivePlugin {
  const seconds = plugin.retry_in_seconds;
  return { ...plugin, retryAt: seconds === null ? null : now + seconds * 1000 };
}

/** Whether there is something to be measured. */
export function hasProcess(plugin: Plugin): boolean {
  return plugin.pid !== null;
}
