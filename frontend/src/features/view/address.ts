import { apiUrl } from "@/api/client";

/** Below the plugin's route, unless it is of the API as a whole, or of somewhere else altogether. */
export function addressOf(route: string, path: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith("//")) return path;
  if (path.startsWith("/api/")) return apiUrl(path);
  return apiUrl(`/api/plugins/route${route}${path.startsWith("/") || path === "" ? "" : "/"}${path}`);
}
