import { words } from "@/words";

/** Which plugins somebody sees, in words. null: all of them. */
export function grantsText(plugins: readonly string[] | null): string {
  if (plugins === null) return words.account.allPlugins;
  return plugins.length === 0 ? words.users.noPlugins : plugins.join(", ");
}
