import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Moon, Pause, Play, RotateCw, Zap } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError, answer, api } from "@/api/client";
import type { Plugin } from "@/api/types";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import type { Wish } from "./appearance";

/** One request for each wish, by the address that the API has for it. */
const REQUESTS = {
  enable: "/api/plugins/{plugin_id}/enable",
  disable: "/api/plugins/{plugin_id}/disable",
  restart: "/api/plugins/{plugin_id}/restart",
  pause: "/api/plugins/{plugin_id}/pause",
  resume: "/api/plugins/{plugin_id}/resume",
  retry: "/api/plugins/{plugin_id}/retry",
} as const satisfies Record<Wish, string>;

const ICONS: Readonly<Record<Wish, ReactNode>> = {
  enable: <Zap aria-hidden />,
  disable: <Moon aria-hidden />,
  restart: <RotateCw aria-hidden />,
  pause: <Pause aria-hidden />,
  resume: <Play aria-hidden />,
  retry: <Play aria-hidden />,
};

/** A wish on a button. What sleeps is not restarted but woken, though the server does the same. */
export function wishLook(wish: Wish, plugin: Plugin): { readonly label: string; readonly icon: ReactNode } {
  if (wish === "restart" && plugin.state === "idle") return { label: words.wishes.wake, icon: <Zap aria-hidden /> };
  return { label: words.wishes[wish], icon: ICONS[wish] };
}

/** Sends a wish. What becomes of it comes by the live stream: the answer only makes the toast. */
export async function send(wish: Wish, plugin: Plugin): Promise<void> {
  try {
    await answer(api.POST(REQUESTS[wish], { params: { path: { plugin_id: plugin.id } } }));
  } catch (error) {
    toast(words.outcomes.failed(wish, plugin.name, said(error)), "error", <LogsLink id={plugin.id} />);
    throw error;
  }
  toast(words.outcomes[wish](plugin.name), "success");
}

/** The same, for a button that shows that it is on its way. */
export function useWish(plugin: Plugin) {
  return useMutation({ mutationFn: (wish: Wish) => send(wish, plugin) });
}

export function said(error: unknown): string {
  if (error instanceof ApiError && error.status === 0) return words.failure.unreachable;
  return error instanceof Error ? error.message : String(error);
}

function LogsLink({ id }: { readonly id: string }) {
  return (
    <Link to="/plugins/$id/logs" params={{ id }}>
      {words.plugin.showLogs}
    </Link>
  );
}
