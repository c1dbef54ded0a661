/**
 * The front ends of plugins: classic scripts that know nothing of this manager, and were built years ago, some of them.
 * A script runs once for each version of it.
 */
import { apiUrl } from "@/api/client";
import { Belongings, watch } from "./belongings";

/** What plugins register: `window.ToruPlugins["<id>"]` or `window["toru_plugin_<id>"]`. */
export interface Registered {
  mount(container: HTMLElement, api: PluginApi): unknown;
  unmount?(container: HTMLElement): unknown;
}

export interface PluginApi {
  fetch(path: string | URL | Request, init?: RequestInit): Promise<Response>;
  readonly kv: {
    get(key: string): Promise<unknown>;
    set(key: string, value: unknown): Promise<unknown>;
    delete(key: string): Promise<unknown>;
  };
  navigate(path: string): void;
  showToast(message: string, kind?: "success" | "error" | "info"): void;
}

export interface Bundle {
  /** What tells one version of a script from another. */
  readonly version: string;
  readonly registered: Registered;
  readonly belongings: Belongings;
}

/**
 * missing: the plugin has none · unreachable: it can't be had now · timeout: it doesn't come · mistaken: the script
 * itself fails · unregistered: it ran, and registered nothing
 */
export type BundleFault = "missing" | "unreachable" | "timeout" | "mistaken" | "unregistered";

export class BundleError extends Error {
  override readonly name = "BundleError";

  constructor(
    readonly fault: BundleFault,
    message = "",
  ) {
    super(message);
  }
}

const TIME_LIMIT = 15_000;

const loaded = new Map<string, Bundle>();
const running = new Map<string, Promise<Bundle>>();

/** The bundle of a plugin: from memory while it is the one that the server has, else loaded anew. */
export async function loadBundle(id: string): Promise<Bundle> {
  const version = await versionOf(id);
  const known = loaded.get(id);
  if (known?.version === version) return known;
  // Who leaves and comes back before it is there doesn't run it twice.
  const name = `${id} ${version}`;
  const begun = running.get(name) ?? runScript(id, version).finally(() => running.delete(name));
  running.set(name, begun);
  return begun;
}

/**
 * Asked by GET, as plugins that serve their own bundle may know nothing else. What has no ETag is told by its text. The
 * browser keeps what it got: the script itself then costs no more than the question whether it has changed.
 */
async function versionOf(id: string): Promise<string> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIME_LIMIT);
  try {
    const response = await fetch(addressOf(id), { cache: "no-cache", signal: stop.signal });
    const text = await response.text();
    if (!response.ok) throw new BundleError(response.status === 404 ? "missing" : "unreachable", said(response, text));
    return response.headers.get("etag") ?? text;
  } catch (reason) {
    if (reason instanceof BundleError) throw reason;
    throw new BundleError(stop.signal.aborted ? "timeout" : "unreachable", String(reason));
  } finally {
    clearTimeout(timer);
  }
}

function runScript(id: string, version: string): Promise<Bundle> {
  watch();
  loaded.get(id)?.belongings.discard();
  loaded.delete(id);
  forget(id);
  const script = document.createElement("script");
  const belongings = new Belongings();
  let mistake: string | undefined;
  const onMistake = (event: ErrorEvent) => {
    if (event.filename === script.src) mistake ??= event.message;
  };
  return new Promise((resolve, reject) => {
    // It may come after that. Then it waits for whoever tries again.
    const timer = setTimeout(() => {
      removeEventListener("error", onMistake);
      reject(new BundleError("timeout"));
    }, TIME_LIMIT);
    function end(): void {
      clearTimeout(timer);
      removeEventListener("error", onMistake);
      script.remove();
    }
    script.onload = () => {
      end();
      belongings.claim();
      const registered = registeredBy(id);
      if (registered !== undefined) {
        const bundle = { version, registered, belongings };
        loaded.set(id, bundle);
        resolve(bundle);
      } else {
        belongings.discard();
        reject(mistake === undefined ? new BundleError("unregistered") : new BundleError("mistaken", mistake));
      }
    };
    script.onerror = () => {
      end();
      reject(new BundleError("unreachable"));
    };
    addEventListener("error", onMistake);
    script.src = addressOf(id);
    document.head.append(script);
  });
}

/** Without a query: a plugin that serves it compares the path, some of them all of it. */
function addressOf(id: string): string {
  return apiUrl(`/api/plugins/${id}/bundle.js`);
}

/** Why not, in the core's words, if it is the core that answered. */
function said(response: Response, text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    if (typeof detail === "string") return detail;
  } catch {
    // A page of a proxy's, or whatever a plugin says.
  }
  return `${response.status} ${response.statusText}`.trim();
}

type Registry = Record<string, unknown> & { ToruPlugins?: Record<string, unknown> };

function registeredBy(id: string): Registered | undefined {
  const registry = window as unknown as Registry;
  return [registry.ToruPlugins?.[id], registry[`toru_plugin_${id}`]].find(isRegistered);
}

function isRegistered(value: unknown): value is Registered {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return "mount" in value && typeof value.mount === "function";
}

/** So that an older version can't pass for the one that registers nothing. */
function forget(id: string): void {
  const registry = window as unknown as Registry;
  delete registry.ToruPlugins?.[id];
  Reflect.deleteProperty(registry, `toru_plugin_${id}`);
}
