import { useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import { answer, api } from "@/api/client";
import type { Figure, Host, Me, PluginEvent, Rejection } from "@/api/types";
import { type History, historyOf, isIdle, joined, NO_HISTORY } from "./history";
import type { Connection, Live, LivePlugin, Plugins } from "./live";
import type { Store } from "./store";

interface Session {
  readonly me: Me;
  readonly live: Live;
  /** To be told when they are no longer signed in. */
  readonly signedOut: () => void;
}

const SessionContext = createContext<Session | undefined>(undefined);

export const SessionProvider = SessionContext.Provider;

/** Who is signed in, and what they see of the server. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("nobody is signed in here");
  return session;
}

export function useIsAdmin(): boolean {
  return useSession().me.role === "admin";
}

function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** Only a change of what was picked is a change. */
function usePicked<T, P>(store: Store<T>, pick: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => pick(store.get()));
}

export function useConnection(): Connection {
  return useStore(useSession().live.connection);
}

/** undefined: not known yet. */
export function usePlugins(): Plugins | undefined {
  return useStore(useSession().live.plugins);
}

/** undefined: not known yet. null: there is none of this id. */
export function usePlugin(id: string): LivePlugin | null | undefined {
  return usePicked(useSession().live.plugins, (plugins) =>
    plugins === undefined ? undefined : (plugins.get(id) ?? null),
  );
}

export function useRejected(): readonly Rejection[] {
  return useStore(useSession().live.rejected);
}

export function useRecentEvents(): readonly PluginEvent[] {
  return useStore(useSession().live.events);
}

export function useFigure(id: string): Figure | undefined {
  return usePicked(useSession().live.figures, (figures) => figures.get(id));
}

export function useFigures(): ReadonlyMap<string, Figure> {
  return useStore(useSession().live.figures);
}

/** How the host does; for admins. undefined: not known yet. */
export function useHost(): Host | undefined {
  const { live, me } = useSession();
  const seen = useStore(live.host);
  const stored = useQuery({
    queryKey: ["host"],
    queryFn: () => answer(api.GET("/api/host")),
    enabled: me.role === "admin" && seen === undefined,
  });
  return seen ?? stored.data;
}

/** What a plugin did over the last hour: what the server remembers, and then what was seen from here. */
export function useHistory(id: string): History {
  const { live } = useSession();
  useEffect(() => live.follow(id), [live, id]);
  const seen = usePicked(live.histories, (histories) => histories.get(id) ?? NO_HISTORY);
  const stored = useQuery({
    queryKey: ["figures", id],
    queryFn: () => answer(api.GET("/api/plugins/{plugin_id}/figures", { params: { path: { plugin_id: id } } })),
    staleTime: REMEMBERED_MILLISECONDS,
  });
  return useMemo(() => {
    const before = stored.data === undefined ? NO_HISTORY : historyOf(stored.data);
    // One that has done nothing for an hour has nothing to show, and not a line of noughts.
    return before.at.length === 0 && isIdle(seen) ? NO_HISTORY : joined(before, seen);
  }, [stored.data, seen]);
}

/** The same of all plugins together. */
export function useTotalHistory(): History {
  const seen = useStore(useSession().live.total);
  const stored = useQuery({
    queryKey: ["figures"],
    queryFn: () => answer(api.GET("/api/figures")),
    staleTime: REMEMBERED_MILLISECONDS,
  });
  return useMemo(
    () => joined(stored.data === undefined ? NO_HISTORY : historyOf(stored.data), seen),
    [stored.data, seen],
  );
}

const REMEMBERED_MILLISECONDS = 60_000;

export function useVersion(): string | undefined {
  return useStore(useSession().live.version);
}
