import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import type { BrowserSession } from "@/api/types";
import { said } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Failure, Skeleton } from "@/ui/notices";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";
import { browserName } from "./browser";
import { SessionItems } from "./SessionItems";
import { LOOK_AGAIN } from "./sessions";

/** Where somebody else is signed in, which an admin may end. */
export function UserSessions({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const key = ["sessions of", name] as const;
  const sessions = useQuery({
    queryKey: key,
    queryFn: () => answer(api.GET("/api/users/{name}/sessions", { params: { path: { name } } })),
    ...LOOK_AGAIN,
  });
  const end = useMutation({
    mutationFn: ({ id }: BrowserSession) =>
      answer(api.DELETE("/api/users/{name}/sessions/{session_id}", { params: { path: { name, session_id: id } } })),
    onSuccess: (_, { browser }) => toast(words.sessions.ended(browserName(browser)), "success"),
    onError: (error) => toast(said(error), "error"),
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
  const endAll = useMutation({
    mutationFn: () => answer(api.DELETE("/api/users/{name}/sessions", { params: { path: { name } } })),
    onSuccess: () => toast(words.sessions.allEnded(name), "success"),
    onError: (error) => toast(said(error), "error"),
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
  const found = sessions.data ?? [];
  const isOneself = found.some((session) => session.current);
  return (
    <Dialog title={words.sessions.of(name)} isOpen onClose={onClose}>
      {sessions.isPending && <Skeleton />}
      {sessions.isError && <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.data?.length === 0 && <p className={css["once"]}>{words.sessions.none(name)}</p>}
      {found.length > 0 && (
        <div className={css["inDialog"]}>
          <SessionItems label={words.sessions.of(name)} sessions={found} onEnd={(session) => end.mutate(session)} />
        </div>
      )}
      {found.length > 1 && !isOneself && (
        <DialogButtons>
          <Button kind="danger" isPending={endAll.isPending} onPress={() => endAll.mutate()}>
            {words.sessions.endAll}
          </Button>
        </DialogButtons>
      )}
    </Dialog>
  );
}
