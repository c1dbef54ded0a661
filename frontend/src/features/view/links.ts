/**
 * A link to `#part` means a part of the page it is on. But the manager's <base> has it mean the manager's first screen,
 * and a page of a plugin that keeps its own places behind a # would be left by its own links.
 */
export function followFragment(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const [target] = event.composedPath();
  const link = target instanceof Element ? target.closest("a[href^='#']") : null;
  if (!(link instanceof HTMLAnchorElement) || (link.target !== "" && link.target !== "_self")) return;
  event.preventDefault();
  location.hash = link.getAttribute("href") ?? "";
}
