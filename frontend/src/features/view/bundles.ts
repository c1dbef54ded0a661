/**
 * The front ends of plugins: classic scripts that know nothing of this manager, and were built years ago, some of them.
 *
 * A script is loaded once for each version of it. What it adds to <head> is its own: it is switched off when its page is
 * left, so that its styles, which repaint the whole document, don't repaint the manager; and on again when it comes back.
 */
import { apiUrl } from "@/api/client";

/** What plugins register: `window.ToruPlugins["<id>"]` or `window["toru_plugin_<id>"]`. */
export interface Bundle {
  mount(container: HTMLElement, api: PluginApi): unknown;
  unmount?(container: HTMLElement): unknown;
}

export interface PluginApi {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  readonly kv: {
    get(key: string): Promise<unknown>;
    set(key: string, value: unknown): Promise<unknown>;
    delete(key: string): Promise<unknown>;
  };
  navigate(path: string): void;
  showToast(message: string, kind?: "success" | "error" | "info"): void;
}

export type BundleFault = "missing" | "unreachable" | "unregistered" | "timeout";

export class BundleError extends Error {
  override readonly name = "BundleError";

  constructor(
    readonly fault: BundleFault,
    message: string,
  ) {
    super(message);
  }
}

type Styles = HTMLStyleElement | HTMLLinkElement;

interface Loaded {
  readonly version: string;
  readonly bundle: Bundle;
  readonly styles: Set<Styles>;
}

const TIME_LIMIT = 15_000;

const loaded = new Map<string, Loaded>();

/** The bundle of a plugin: from memory while it is the one that the server has, else loaded anew. */
export async function loadBundle(id: string): Promise<Bundle> {
  const version = await versionOf(id);
  const known = loaded.get(id);
  if (known?.version === version) return known.bundle;
  if (known !== undefined) forget(id, known);
  const styles = new Set<Styles>();
  const watching = watchStyles(styles);
  try {
    await loadScript(`${apiUrl(`/api/plugins/${id}/bundle.js`)}?v=${encodeURIComponent(version)}`);
  } finally {
    watching();
  }
  const bundle = registered(id);
  if (bundle === undefined) throw new BundleError("unregistered", "");
  loaded.set(id, { version, bundle, styles });
  return bundle;
}

/** A page of a plugin, mounted. `leave` undoes it, as far as the manager can: whatever else the bundle does is its own. */
export function mount(id: string, bundle: Bundle, container: HTMLElement, api: PluginApi): { leave: () => void } {
  const styles = loaded.get(id)?.styles ?? new Set<Styles>();
  const children = new Set(document.body.children);
  for (const style of styles) disable(style, false);
  const stopWatching = watchStyles(styles);
  let isLeft = false;
  function leave(): void {
    if (isLeft) return;
    isLeft = true;
    try {
      bundle.unmount?.(container);
    } finally {
      stopWatching();
      for (const style of styles) disable(style, true);
      // Portals that a page forgot to take away lie over everything.
      for (const child of [...document.body.children]) {
        if (!children.has(child) && isPortal(child)) child.remove();
      }
    }
  }
  try {
    bundle.mount(container, api);
  } catch (error) {
    try {
      leave();
    } catch {
      // It never mounted: that it can't unmount either is no news.
    }
    throw error;
  }
  return { leave };
}

/** What tells one version of a bundle from another: its ETag. */
async function versionOf(id: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(apiUrl(`/api/plugins/${id}/bundle.js`), { method: "HEAD", cache: "no-store" });
  } catch (reason) {
    throw new BundleError("unreachable", String(reason));
  }
  if (response.status === 404) throw new BundleError("missing", "");
  // Some plugins that serve their own bundle know GET alone: then each visit loads it anew.
  if (response.status === 405 || response.status === 501) return String(Date.now());
  if (!response.ok) throw new BundleError("unreachable", `${response.status} ${response.statusText}`.trim());
  return response.headers.get("etag") ?? response.headers.get("last-modified") ?? String(Date.now());
}

function loadScript(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const timer = setTimeout(() => end(new BundleError("timeout", "")), TIME_LIMIT);
    function end(error?: Error): void {
      clearTimeout(timer);
      script.onload = null;
      script.onerror = null;
      script.remove();
      if (error === undefined) resolve();
      else reject(error);
    }
    script.src = address;
    script.onload = () => end();
    script.onerror = () => end(new BundleError("unreachable", ""));
    document.head.append(script);
  });
}

function registered(id: string): Bundle | undefined {
  const all = (window as { ToruPlugins?: Record<string, unknown> }).ToruPlugins;
  const own = (window as unknown as Record<string, unknown>)[`toru_plugin_${id}`];
  return [all?.[id], own].find(isBundle);
}

function isBundle(value: unknown): value is Bundle {
  return typeof value === "object" && value !== null && "mount" in value && typeof value.mount === "function";
}

/** Takes note of each style that comes into the document, until what is returned is called. */
function watchStyles(styles: Set<Styles>): () => void {
  const take = (records: readonly MutationRecord[]) => {
    for (const record of records) {
      for (const node of record.addedNodes) if (isStyle(node) && !isOurs(node)) styles.add(node);
    }
  };
  const observer = new MutationObserver(take);
  observer.observe(document.head, { childList: true, subtree: true });
  observer.observe(document.body, { childList: true });
  return () => {
    take(observer.takeRecords());
    observer.disconnect();
  };
}

function isStyle(node: Node): node is Styles {
  return node instanceof HTMLStyleElement || (node instanceof HTMLLinkElement && node.rel === "stylesheet");
}

/** The manager's own screens load their styles as they are opened, perhaps while a page of a plugin is there. */
function isOurs(node: Styles): boolean {
  return node instanceof HTMLLinkElement && /\/assets\/[^/]+\.css$/.test(new URL(node.href, document.baseURI).pathname);
}

function disable(style: Styles, isDisabled: boolean): void {
  // `disabled` works on what is in the document only; the medium also on what is not there yet.
  if (isDisabled) {
    if (style.media !== "not all") style.dataset["toruMedia"] = style.media;
    style.media = "not all";
  } else if (style.media === "not all") {
    style.media = style.dataset["toruMedia"] ?? "";
    delete style.dataset["toruMedia"];
  }
}

function isPortal(element: Element): boolean {
  return !["SCRIPT", "STYLE", "LINK", "TEMPLATE", "NOSCRIPT"].includes(element.tagName);
}

function forget(id: string, { styles }: Loaded): void {
  for (const style of styles) style.remove();
  loaded.delete(id);
  delete (window as { ToruPlugins?: Record<string, unknown> }).ToruPlugins?.[id];
  Reflect.deleteProperty(window, `toru_plugin_${id}`);
}
