import { answer, api } from "@/api/client";
import type { paths } from "@/api/schema";
import { toast } from "@/ui/toasts";
import { addressOf } from "./address";
import type { PluginApi } from "./bundles";

type KvRequest = paths["/api/plugins/{plugin_id}/kv"]["post"]["requestBody"]["content"]["application/json"];

/** What a plugin's page is handed. The same object for as long as the page is open. */
export function makePluginApi(id: string, route: string, navigate: (path: string) => void): PluginApi {
  const kv = async (body: KvRequest): Promise<unknown> => {
    const { value } = await answer(
      api.POST("/api/plugins/{plugin_id}/kv", { params: { path: { plugin_id: id } }, body }),
    );
    return value;
  };
  return {
    fetch: (path, init) => fetch(path instanceof Request ? path : addressOf(route, String(path)), init),
    kv: {
      get: (key) => kv({ action: "get", key }),
      set: (key, value) => kv({ action: "set", key, value }),
      delete: (key) => kv({ action: "delete", key }),
    },
    navigate: (path) => navigate(String(path)),
    showToast: (message, kind = "info") =>
      toast(String(message), kind === "success" || kind === "error" ? kind : "info"),
  };
}
