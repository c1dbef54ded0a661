/**
 * What the bundles of plugins put into the document beside their container: styles that repaint all of it, and nodes on
 * <body>. It is there while their page is open, and out of the way while it isn't.
 *
 * A node belongs to the bundle whose script brought it, or else to the one whose page is open. Nobody says which: so one
 * observer watches from the first bundle on, and who a node belongs to is settled once the script that ran has ended.
 */
import { applyTheme } from "@/ui/theme";

type Style = HTMLStyleElement | HTMLLinkElement;

/** On <body> there is the manager, and what its component library needs there. */
const OURS = "#toru, #toru-over, [data-live-announcer], [id^=react-aria-]";
const NEVER_SEEN = "script, link, template, noscript";

export class Belongings {
  readonly #styles = new Set<Style>();
  readonly #nodes = new Map<HTMLElement, { readonly isOfScript: boolean }>();
  #sheets: readonly CSSStyleSheet[] = [];

  /** Before its page is mounted. */
  show(): void {
    for (const style of this.#styles) switchStyle(style, true);
    for (const [node, { isOfScript }] of this.#nodes) {
      // What its script made is made once; an empty node may be a place for dialogs to come. The rest was forgotten.
      if (isOfScript || node.childNodes.length === 0) switchNode(node, true);
      else {
        node.remove();
        this.#nodes.delete(node);
      }
    }
    document.adoptedStyleSheets = [...this.#sheets];
    open = this;
  }

  /** After its page was unmounted. Nodes are hidden, not removed: a page may yet remove them itself, a moment later. */
  hide(): void {
    settle();
    if (open === this) open = undefined;
    last = this;
    for (const style of this.#styles) switchStyle(style, false);
    for (const node of this.#nodes.keys()) {
      if (node.isConnected) switchNode(node, false);
      else this.#nodes.delete(node);
    }
    this.#putSheetsAway();
    restoreDocument();
  }

  /** Called as soon as its script has run: what has come just now came from it. */
  claim(): void {
    note(observer.takeRecords());
    const isOpen = open === this;
    for (const style of fresh.styles.splice(0)) this.#take(style, isOpen);
    for (const node of fresh.nodes.splice(0)) this.#takeNode(node, true, isOpen);
    if (open === undefined) {
      this.#putSheetsAway();
      restoreDocument();
    }
  }

  /** Never to be seen again: another version of its bundle takes its place. */
  discard(): void {
    for (const node of [...this.#styles, ...this.#nodes.keys()]) node.remove();
    this.#sheets = [];
  }

  take(styles: readonly Style[], nodes: readonly HTMLElement[]): void {
    for (const style of styles) this.#take(style, open === this);
    // What comes when its page was left is most often a place for dialogs: it is no harm there, and may be the manager's.
    if (open === this) for (const node of nodes) this.#takeNode(node, false, true);
  }

  #take(style: Style, isSeen: boolean): void {
    this.#styles.add(style);
    if (!isSeen) switchStyle(style, false);
  }

  #takeNode(node: HTMLElement, isOfScript: boolean, isSeen: boolean): void {
    this.#nodes.set(node, { isOfScript });
    if (!isSeen) switchNode(node, false);
  }

  #putSheetsAway(): void {
    this.#sheets = [...document.adoptedStyleSheets];
    document.adoptedStyleSheets = [];
  }
}

/** Whose page is open, and whose was open last: what comes late is most likely of that. */
let open: Belongings | undefined;
let last: Belongings | undefined;
let first: { readonly body: Attributes; readonly html: string } | undefined;

type Attributes = { readonly class: string | null; readonly style: string | null };

const fresh: { styles: Style[]; nodes: HTMLElement[] } = { styles: [], nodes: [] };

const observer = new MutationObserver((records) => {
  note(records);
  // A script's own event follows in this very task, and may claim them.
  if (fresh.styles.length + fresh.nodes.length > 0) setTimeout(settle);
});

/** From the first bundle on. Before its script runs. */
export function watch(): void {
  if (first !== undefined) return;
  first = { body: attributes(document.body), html: document.documentElement.className };
  observer.observe(document.head, { childList: true, subtree: true });
  observer.observe(document.body, { childList: true });
}

function note(records: readonly MutationRecord[]): void {
  for (const node of records.flatMap((record) => [...record.addedNodes])) {
    if (isStyle(node)) {
      if (!isStyleOfOurs(node)) fresh.styles.push(node);
    } else if (node instanceof HTMLElement && node.parentElement === document.body) {
      if (!node.matches(OURS) && !node.matches(NEVER_SEEN)) fresh.nodes.push(node);
    }
  }
}

function settle(): void {
  note(observer.takeRecords());
  const [styles, nodes] = [fresh.styles.splice(0), fresh.nodes.splice(0)];
  (open ?? last)?.take(styles, nodes);
}

function isStyle(node: Node): node is Style {
  return node instanceof HTMLStyleElement || (node instanceof HTMLLinkElement && node.rel === "stylesheet");
}

/** The manager's own screens load their styles as they are opened, perhaps while a page of a plugin is there. */
function isStyleOfOurs(node: Style): boolean {
  if (node instanceof HTMLStyleElement) return node.id.startsWith("react-aria-");
  return /\/assets\/[^/]+\.css$/.test(new URL(node.href, document.baseURI).pathname);
}

/** By its medium: `disabled` works only on what is in the document. */
function switchStyle(style: Style, isOn: boolean): void {
  const before = style.dataset["toruMedia"];
  if (isOn && before !== undefined) {
    style.media = before;
    delete style.dataset["toruMedia"];
  } else if (!isOn && before === undefined) {
    style.dataset["toruMedia"] = style.media;
    style.media = "not all";
  }
}

/** By its display, which no style of a bundle's outdoes. */
function switchNode(node: HTMLElement, isOn: boolean): void {
  const before = node.dataset["toruDisplay"];
  if (isOn && before !== undefined) {
    node.style.display = before;
    delete node.dataset["toruDisplay"];
  } else if (!isOn && before === undefined) {
    node.dataset["toruDisplay"] = node.style.display;
    node.style.setProperty("display", "none", "important");
  }
}

function attributes(element: HTMLElement): Attributes {
  return { class: element.getAttribute("class"), style: element.getAttribute("style") };
}

/** Dialogs that were open when their page was left have often locked <body>; and some pages have themes of their own. */
function restoreDocument(): void {
  if (first === undefined) return;
  for (const [name, value] of Object.entries(first.body)) {
    if (value === null) document.body.removeAttribute(name);
    else if (document.body.getAttribute(name) !== value) document.body.setAttribute(name, value);
  }
  document.documentElement.className = first.html;
  applyTheme();
}
