import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "toru.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** What was chosen in this browser. */
export function chosenTheme(): Theme {
  const chosen = localStorage.getItem(KEY);
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  apply();
}

/** `dark` on <html> is what front ends of plugins look for, too. */
function apply(): void {
  document.documentElement.classList.toggle("dark", isDark());
  for (const listener of listeners) listener();
}

function isDark(): boolean {
  const chosen = chosenTheme();
  return chosen === "dark" || (chosen === "system" && system.matches);
}

system.addEventListener("change", apply);
addEventListener("storage", (event) => event.key === KEY && apply());

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
