import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { answer, api } from "@/api/client";
import type { Token } from "@/api/types";
import { said } from "@/parts/wishes";
import { IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Failure, Skeleton } from "@/ui/notices";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";

/** Somebody else's API tokens, which an admin may take back. */
export function UserTokens({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const key = ["tokens of", name] as const;
  const tokens = useQuery({
    queryKey: key,
    queryFn: () => answer(api.GET("/api/users/{name}/tokens", { params: { path: { name } } })),
  });
  const revoke = useMutation({
    mutationFn: ({ id }: Token) =>
      answer(api.DELETE("/api/users/{name}/tokens/{token_id}", { params: { path: { name, token_id: id } } })),
    onSuccess: (_, token) => {
      toast(words.account.revoked(token.name), "success");
      void client.invalidateQueries({ queryKey: key });
    },
    onError: (error) => toast(said(error), "error"),
  });
  return (
    <Dialog title={words.users.tokensOf(name)} isOpen onClose={onClose}>
      {tokens.isPending && <Skeleton />}
      {tokens.isError && <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && <p className={css["once"]}>{words.users.noTokens}</p>}
      {tokens.data !== undefined && tokens.data.length > 0 && (
        <ul className={css["plainList"]}>
          {tokens.data.map((token) => (
            <li key={token.id} className={css["plainItem"]}>
              <span className={css["main"]}>
                <b className={css["name"]}>{token.name}</b>
                <span className={css["detail"]}>{token.scopes.join(", ")}</span>
              </span>
              <IconButton label={words.account.revokeOf(token.name)} onPress={() => revoke.mutate(token)}>
                <Trash2 aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
