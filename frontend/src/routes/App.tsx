import { QueryCache, QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { CatchBoundary, RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo } from "react";
import { ApiError, answer, api } from "@/api/client";
import type { Me } from "@/api/types";
import { SessionProvider } from "@/live/hooks";
import { Live } from "@/live/live";
import { Failure } from "@/ui/notices";
import { Broken, makeRouter } from "./router";

const SignIn = lazy(() => import("@/features/signin/SignIn"));

/** Who is asking; null: nobody is signed in. */
const ME = ["me"] as const;

function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Asks the server, and keeps what it said. */
function makeClient(onSignedOut?: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (isSignedOut(error)) onSignedOut?.();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // What the server refused, it will refuse again.
        retry: (tries, error) => tries < 2 && error instanceof ApiError && error.isUnreachable,
      },
    },
  });
}

export function App() {
  const client = useMemo(() => makeClient(), []);
  return (
    <QueryClientProvider client={client}>
      <Gate />
    </QueryClientProvider>
  );
}

/** Nothing but the sign-in is shown to whom the server doesn't know; the address stays, for afterwards. */
function Gate() {
  const client = useQueryClient();
  const me = useQuery<Me | null>({
    queryKey: ME,
    queryFn: async () => {
      try {
        return await answer(api.GET("/api/auth/me"));
      } catch (error) {
        if (isSignedOut(error)) return null;
        throw error;
      }
    },
    refetchInterval: (query) => (query.state.status === "error" && query.state.data === undefined ? 3_000 : false),
  });
  if (me.data === undefined) return me.isError ? <Failure error={me.error} onRetry={() => void me.refetch()} /> : null;
  if (me.data === null) {
    return (
      // Outside the router, whose screens have this too.
      <CatchBoundary getResetKey={() => "sign-in"} errorComponent={Broken}>
        <Suspense fallback={null}>
          <SignIn onSignedIn={(signedIn) => client.setQueryData(ME, signedIn)} />
        </Suspense>
      </CatchBoundary>
    );
  }
  return <SignedIn key={`${me.data.name} ${me.data.role}`} me={me.data} />;
}

function SignedIn({ me }: { readonly me: Me }) {
  const gate = useQueryClient();
  const router = useMemo(makeRouter, []);
  const signedOut = useCallback(() => void gate.setQueryData(ME, null), [gate]);
  // Theirs alone: what they saw is not for whoever comes next.
  const client = useMemo(() => makeClient(signedOut), [signedOut]);
  const live = useMemo(() => {
    const askWho = () => void gate.invalidateQueries({ queryKey: ME });
    return new Live(me.role === "admin", askWho, () => {
      askWho();
      void client.invalidateQueries();
    });
  }, [me.role, gate, client]);
  useEffect(() => {
    live.open();
    return () => live.close();
  }, [live]);
  const session = useMemo(() => ({ me, live, signedOut }), [me, live, signedOut]);
  return (
    <SessionProvider value={session}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </SessionProvider>
  );
}
