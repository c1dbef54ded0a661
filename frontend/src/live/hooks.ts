import { createContext, useContext, useSyncExternalStore } from "react";
import type { Figure, Me, PluginEvent, Rejection } from "@/api/types";
import { type History, NO_HISTORY } from "./history";
import type { Connection, Live, LivePlugin, Plugins } from "./live";
import type { Store } from "./store";

interface Session {
  readonly me: Me;
  readonly live: Live;
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

export function useHistory(id: string): History {
  return usePicked(useSession().live.histories, (histories) => histories.get(id) ?? NO_HISTORY);
}

export function useHistories(): ReadonlyMap<string, History> {
  return useStore(useSession().live.histories);
}

export function useVersion(): string | undefined {
  return useStore(useSession().live.version);
}
