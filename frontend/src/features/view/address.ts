import { apiUrl, base } from "@/api/client";

/** Below the plugin's route, unless it is of the API as a whole, or of somewhere else altogether. */
export function addressOf(route: string, path: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return path;
  if (path.startsWith("/api/")) return apiUrl(path);
  return apiUrl(`/api/plugins/route${route}${path.startsWith("/") || path === "" ? "" : "/"}${path}`);
}

/** Where `api.navigate` leads: to one of the manager's screens, or, without a slash, below the plugin's own page. */
export function placeOf(id: string, path: string): URL {
  return path.startsWith("/") ? new URL(`.${path}`, base) : new URL(path, new URL(`view/${id}/`, base));
}

/** Whether a place is a screen of the manager's, for which nothing needs to be loaded anew. */
export function isScreen(place: URL): boolean {
  if (place.origin !== base.origin || !place.pathname.startsWith(base.pathname)) return false;
  return !place.pathname.startsWith(`${base.pathname}api/`);
}
