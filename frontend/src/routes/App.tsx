import { QueryCache, QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { CatchBoundary, RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo } from "react";
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

function makeClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (isSignedOut(error)) client.setQueryData(ME, null);
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
  return client;
}

export function App() {
  const client = useMemo(makeClient, []);
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
  const client = useQueryClient();
  const router = useMemo(makeRouter, []);
  const live = useMemo(
    () =>
      new Live(
        me.role === "admin",
        () => void client.invalidateQueries({ queryKey: ME }),
        () => void client.invalidateQueries(),
      ),
    [me.role, client],
  );
  useEffect(() => {
    live.open();
    return () => live.close();
  }, [live]);
  // However they left: what they saw is not for whoever comes next.
  useEffect(() => () => client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME[0] }), [client]);
  const session = useMemo(() => ({ me, live }), [me, live]);
  return (
    <SessionProvider value={session}>
      <RouterProvider router={router} />
    </SessionProvider>
  );
}
