import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, MonitorSmartphone, Pencil, Plus, Trash2, UserRound } from "lucide-react";
import { useState } from "react";
import { answer, api } from "@/api/client";
import type { User } from "@/api/types";
import { useSession } from "@/live/hooks";
import { Pill } from "@/parts/StateMark";
import { said } from "@/parts/wishes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Failure, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";
import { grantsText } from "./grants";
import { UserDialog } from "./UserDialog";
import { UserSessions } from "./UserSessions";
import { UserTokens } from "./UserTokens";

/** Everybody who may sign in, for admins. */
export default function Users() {
  const { me } = useSession();
  const client = useQueryClient();
  const [edited, setEdited] = useState<User | "new" | null>(null);
  const [doomed, setDoomed] = useState<User | null>(null);
  const [watched, setWatched] = useState<User | null>(null);
  const [shown, setShown] = useState<User | null>(null);
  const users = useQuery({ queryKey: ["users"], queryFn: () => answer(api.GET("/api/users")) });
  const remove = useMutation({
    mutationFn: ({ name }: User) => answer(api.DELETE("/api/users/{name}", { params: { path: { name } } })),
    onSuccess: (_, { name }) => {
      toast(words.users.deleted(name), "success");
      void client.invalidateQueries({ queryKey: ["users"] });
    },
    onError: (error) => toast(said(error), "error"),
  });
  return (
    <Section
      title={words.account.users}
      note={words.users.lead}
      actions={
        <Button onPress={() => setEdited("new")}>
          <Plus aria-hidden />
          {words.users.add}
        </Button>
      }
    >
      {users.isPending && <Skeleton />}
      {users.isError && <Failure error={users.error} onRetry={() => void users.refetch()} />}
      {users.data !== undefined && (
        <ul className={css["list"]} aria-label={words.users.list}>
          {users.data.map((user) => (
            <li key={user.name} className={css["item"]}>
              <UserRound aria-hidden className={css["icon"]} />
              <div className={css["main"]}>
                <b className={css["name"]}>
                  {user.name} {user.name === me.name && <span className={css["detail"]}>({words.users.you})</span>}
                </b>
                <span className={css["detail"]}>
                  {words.users.grants}: {grantsText(user.plugins)} · {words.users.since.toLowerCase()}{" "}
                  <Ago then={new Date(user.created_at)} />
                </span>
              </div>
              <span className={css["pills"]}>
                <Pill tone={user.role === "admin" ? "calm" : "off"}>{words.account.roles[user.role]}</Pill>
                {user.disabled && <Pill tone="warn">{words.users.disabled}</Pill>}
              </span>
              <span className={css["buttons"]}>
                <IconButton label={words.sessions.of(user.name)} onPress={() => setWatched(user)}>
                  <MonitorSmartphone aria-hidden />
                </IconButton>
                <IconButton label={words.users.tokensOf(user.name)} onPress={() => setShown(user)}>
                  <KeyRound aria-hidden />
                </IconButton>
                <IconButton label={words.users.editOf(user.name)} onPress={() => setEdited(user)}>
                  <Pencil aria-hidden />
                </IconButton>
                <IconButton label={words.users.deleteOf(user.name)} onPress={() => setDoomed(user)}>
                  <Trash2 aria-hidden />
                </IconButton>
              </span>
            </li>
          ))}
        </ul>
      )}
      {edited !== null && <UserDialog user={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      {watched !== null && <UserSessions name={watched.name} onClose={() => setWatched(null)} />}
      {shown !== null && <UserTokens name={shown.name} onClose={() => setShown(null)} />}
      <Confirm
        title={words.users.deleteTitle}
        text={words.users.deleteText(doomed?.name ?? "")}
        action={words.users.remove}
        isOpen={doomed !== null}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed !== null && remove.mutate(doomed)}
      />
    </Section>
  );
}
