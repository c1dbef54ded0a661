import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useState } from "react";
import { answer, api } from "@/api/client";
import type { BrowserSession } from "@/api/types";
import { said } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Failure, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import { browserName } from "./browser";
import { SessionItems } from "./SessionItems";
import { LOOK_AGAIN } from "./sessions";

const KEY = ["sessions"] as const;

/** Where one is signed in. */
export function Sessions() {
  const client = useQueryClient();
  const [isSure, setSure] = useState(false);
  const sessions = useQuery({ queryKey: KEY, queryFn: () => answer(api.GET("/api/sessions")), ...LOOK_AGAIN });
  const end = useMutation({
    mutationFn: ({ id }: BrowserSession) =>
      answer(api.DELETE("/api/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSuccess: (_, { browser }) => toast(words.sessions.ended(browserName(browser)), "success"),
    onError: (error) => toast(said(error), "error"),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
  const endOthers = useMutation({
    mutationFn: () => answer(api.DELETE("/api/sessions")),
    onSuccess: ({ ended }) => toast(words.sessions.othersEnded(ended), "success"),
    onError: (error) => toast(said(error), "error"),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
  const others = sessions.data?.filter((session) => !session.current).length ?? 0;
  return (
    <Section
      title={words.sessions.title}
      note={words.sessions.lead}
      actions={
        others > 0 && (
          <Button onPress={() => setSure(true)} isPending={endOthers.isPending}>
            <LogOut aria-hidden />
            {words.sessions.endOthers}
          </Button>
        )
      }
    >
      {sessions.isPending && <Skeleton />}
      {sessions.isError && <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.data !== undefined && (
        <SessionItems label={words.sessions.title} sessions={sessions.data} onEnd={(session) => end.mutate(session)} />
      )}
      <Confirm
        title={words.sessions.endOthersTitle}
        text={words.sessions.endOthersText(others)}
        action={words.sessions.endOthers}
        isOpen={isSure}
        onClose={() => setSure(false)}
        onConfirm={() => endOthers.mutate()}
      />
    </Section>
  );
}
