import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { answer, api } from "@/api/client";
import type { Token } from "@/api/types";
import { Pill } from "@/parts/StateMark";
import { said } from "@/parts/wishes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { date } from "@/ui/format";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";
import { TokenDialog } from "./TokenDialog";

/** One's own API tokens. */
export function Tokens() {
  const client = useQueryClient();
  const [isMaking, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<Token | null>(null);
  const tokens = useQuery({ queryKey: ["tokens"], queryFn: () => answer(api.GET("/api/tokens")) });
  const revoke = useMutation({
    mutationFn: ({ id }: Token) => answer(api.DELETE("/api/tokens/{token_id}", { params: { path: { token_id: id } } })),
    onSuccess: (_, { name }) => {
      toast(words.account.revoked(name), "success");
      void client.invalidateQueries({ queryKey: ["tokens"] });
    },
    onError: (error) => toast(said(error), "error"),
  });
  return (
    <Section
      title={words.account.tokens}
      note={words.account.tokensLead}
      actions={
        <Button onPress={() => setMaking(true)}>
          <Plus aria-hidden />
          {words.account.newToken}
        </Button>
      }
    >
      {tokens.isPending && <Skeleton />}
      {tokens.isError && <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && (
        <Notice icon={<KeyRound aria-hidden />} title={words.account.noTokens}>
          {words.account.noTokensHint}
        </Notice>
      )}
      {tokens.data !== undefined && tokens.data.length > 0 && (
        <ul className={css["list"]} aria-label={words.account.tokensList}>
          {tokens.data.map((token) => (
            <li key={token.id} className={css["item"]}>
              <KeyRound aria-hidden className={css["icon"]} />
              <div className={css["main"]}>
                <b className={css["name"]}>{token.name}</b>
                <span className={css["detail"]}>
                  {words.account.created} <Ago then={new Date(token.created_at)} /> ·{" "}
                  {words.account.expires.toLowerCase()}{" "}
                  {token.expires_at === null ? words.account.expiry.never : date(new Date(token.expires_at))}
                </span>
              </div>
              <span className={css["pills"]}>
                {token.scopes.map((scope) => (
                  <Pill key={scope} tone="calm">
                    {scope}
                  </Pill>
                ))}
              </span>
              <IconButton label={words.account.revokeOf(token.name)} onPress={() => setDoomed(token)}>
                <Trash2 aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      {isMaking && <TokenDialog onClose={() => setMaking(false)} />}
      <Confirm
        title={words.account.revokeTitle}
        text={words.account.revokeText(doomed?.name ?? "")}
        action={words.account.revoke}
        isOpen={doomed !== null}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed !== null && revoke.mutate(doomed)}
      />
    </Section>
  );
}
