import { useQuery } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import type { LivePlugin } from "@/live/live";

/** A plugin's units as systemd has them in force: asked anew with each run and each change of its state. */
export function useUnits(plugin: LivePlugin) {
  return useQuery({
    queryKey: ["units", plugin.id, plugin.state, plugin.invocation_id],
    queryFn: () => answer(api.GET("/api/plugins/{plugin_id}/units", { params: { path: { plugin_id: plugin.id } } })),
    placeholderData: (before) => (before?.id === plugin.id ? before : undefined),
  });
}
