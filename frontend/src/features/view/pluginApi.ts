import { answer, api, apiUrl } from "@/api/client";
import { toast } from "@/ui/toasts";
import type { PluginApi } from "./bundles";

/** What a plugin's page is handed. The same object for as long as the page is open. */
export function makePluginApi(id: string, route: string, navigate: (path: string) => void): PluginApi {
  const kv = async (body: { action: "get" | "set" | "delete"; key: string; value?: unknown }): Promise<unknown> => {
    const { value } = await answer(
      api.POST("/api/plugins/{plugin_id}/kv", { params: { path: { plugin_id: id } }, body }),
    );
    return value;
  };
  return {
    fetch: (path, init) => fetch(addressOf(route, path), init),
    kv: {
      get: (key) => kv({ action: "get", key }),
      set: (key, value) => kv({ action: "set", key, value }),
      delete: (key) => kv({ action: "delete", key }),
    },
    navigate,
    showToast: (message, kind = "info") =>
      toast(String(message), kind === "success" || kind === "error" ? kind : "info"),
  };
}

/** Below the plugin's route, unless it is of the API as a whole, or of somewhere else altogether. */
export function addressOf(route: string, path: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith("//")) return path;
  if (path.startsWith("/api/")) return apiUrl(path);
  return apiUrl(`/api/plugins/route${route}${path.startsWith("/") || path === "" ? "" : "/"}${path}`);
}
