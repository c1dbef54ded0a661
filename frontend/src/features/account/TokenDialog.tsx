import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { answer, api } from "@/api/client";
import type { Scope } from "@/api/types";
import { SCOPES } from "@/parts/appearance";
import { CopyButton } from "@/parts/CopyButton";
import { said } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Checkbox, Select, TextField } from "@/ui/fields";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";

const DAYS = ["30", "90", "365", "never"] as const;
const ALL = Object.keys(SCOPES) as Scope[];

export function TokenDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set(["read"]));
  const [days, setDays] = useState<(typeof DAYS)[number]>("90");
  const issue = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/tokens", { body: { name, scopes: [...scopes], expires_at: expiry(days, new Date()) } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["tokens"] }),
    onError: (error) => toast(said(error), "error"),
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    issue.mutate();
  }

  if (issue.data !== undefined) {
    return (
      <Dialog title={issue.data.name} isOpen onClose={onClose}>
        <p className={css["once"]}>{words.account.tokenOnce}</p>
        <div className={css["token"]}>
          <code>{issue.data.token}</code>
          <CopyButton text={issue.data.token} label={words.copy} />
        </div>
        <DialogButtons>
          <Button kind="primary" onPress={onClose}>
            {words.close}
          </Button>
        </DialogButtons>
      </Dialog>
    );
  }
  return (
    <Dialog title={words.account.newToken} isOpen onClose={onClose}>
      <Form onSubmit={submit} style={{ display: "contents" }}>
        <TextField
          label={words.account.tokenName}
          description={words.account.tokenNameHint}
          value={name}
          onChange={setName}
          autoFocus
        />
        <fieldset className={css["choices"]}>
          <legend>{words.account.scopesLabel}</legend>
          {ALL.map((scope) => (
            <Checkbox
              key={scope}
              isSelected={scopes.has(scope)}
              onChange={(chosen) => {
                const changed = new Set(scopes);
                if (chosen) changed.add(scope);
                else changed.delete(scope);
                setScopes(changed);
              }}
            >
              {SCOPES[scope]}
            </Checkbox>
          ))}
        </fieldset>
        <Select
          label={words.account.expires}
          isLabelled
          value={days}
          options={DAYS.map((id) => ({ id, label: words.account.expiry[id] }))}
          onChange={setDays}
        />
        <DialogButtons>
          <Button onPress={onClose}>{words.cancel}</Button>
          <Button
            kind="primary"
            type="submit"
            isPending={issue.isPending}
            isDisabled={name === "" || scopes.size === 0}
          >
            {words.account.create}
          </Button>
        </DialogButtons>
      </Form>
    </Dialog>
  );
}

function expiry(days: (typeof DAYS)[number], now: Date): string | null {
  return days === "never" ? null : new Date(now.getTime() + Number(days) * 86_400_000).toISOString();
}
