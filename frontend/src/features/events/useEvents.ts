import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { answer, api } from "@/api/client";
import type { EventKind, PluginEvent } from "@/api/types";
import { laidOver } from "@/live/events";
import { useRecentEvents } from "@/live/hooks";

interface Asked {
  readonly pluginId?: string | undefined;
  readonly kind?: EventKind | undefined;
}

/** What happened, newest first: what was stored, and over it what happens while somebody looks. */
export function useEvents({ pluginId, kind }: Asked) {
  const recent = useRecentEvents();
  const stored = useInfiniteQuery({
    queryKey: ["events", pluginId ?? null, kind ?? null],
    queryFn: ({ pageParam }) => {
      const query = { kind: kind === undefined ? [] : [kind], after: pageParam, page_size: 50 };
      return answer(
        pluginId === undefined
          ? api.GET("/api/events", { params: { query } })
          : api.GET("/api/plugins/{plugin_id}/events", { params: { path: { plugin_id: pluginId }, query } }),
      );
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const events = useMemo(
    () =>
      laidOver(
        recent.filter((event) => fits(event, { pluginId, kind })),
        stored.data?.pages.flatMap((page) => page.events) ?? [],
      ),
    [recent, stored.data, pluginId, kind],
  );
  return { ...stored, events };
}

function fits(event: PluginEvent, { pluginId, kind }: Asked): boolean {
  return (pluginId === undefined || event.plugin_id === pluginId) && (kind === undefined || event.event_type === kind);
}
