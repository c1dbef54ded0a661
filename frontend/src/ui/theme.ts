import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "toru.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** For as long as this page is open, where the browser lets nobody keep anything. */
let kept: string | null = null;

/** What was chosen in this browser. */
export function chosenTheme(): Theme {
  const chosen = stored();
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function chooseTheme(theme: Theme): void {
  kept = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is closed to us.
  }
  applyTheme();
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return kept;
  }
}

/** `dark` on <html> is what front ends of plugins look for, too. */
export function applyTheme(): void {
  document.documentElement.classList.toggle("dark", isDark());
  for (const listener of listeners) listener();
}

function isDark(): boolean {
  const chosen = chosenTheme();
  return chosen === "dark" || (chosen === "system" && system.matches);
}

system.addEventListener("change", applyTheme);
addEventListener("storage", (event) => event.key === KEY && applyTheme());

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, chosenTheme);
}

export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}
