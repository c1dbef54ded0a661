import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { ApiError, answer, api } from "@/api/client";
import { useSession } from "@/live/hooks";
import { said } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { TextField } from "@/ui/fields";
import { Facts, Section } from "@/ui/page";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";
import { grantsText } from "./grants";
import { Sessions } from "./Sessions";
import { Tokens } from "./Tokens";

export default function You() {
  const { me } = useSession();
  return (
    <div className={css["columns"]}>
      <div className={css["column"]}>
        <Sessions />
        <Tokens />
      </div>
      <div className={css["column"]}>
        <Section title={words.account.you}>
          <Facts
            facts={[
              { name: words.account.signedInAs, value: <b>{me.name}</b> },
              {
                name: words.account.role,
                value: `${words.account.roles[me.role]}: ${words.account.roleHints[me.role]}`,
              },
              { name: words.account.plugins, value: grantsText(me.plugins) },
            ]}
          />
        </Section>
        <Password />
      </div>
    </div>
  );
}

function Password() {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const change = useMutation({
    mutationFn: () => answer(api.PUT("/api/auth/password", { body: { old, new: next } })),
    onSuccess: () => {
      toast(words.account.changed, "success");
      for (const empty of [setOld, setNext, setAgain]) empty("");
    },
  });
  const isOther = again !== "" && again !== next;

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (next === again) change.mutate();
  }

  const { error } = change;
  const isAboutOld = error instanceof ApiError && error.status === 403;
  return (
    <Section title={words.account.password}>
      <Form className={css["form"] ?? ""} onSubmit={submit}>
        <TextField
          label={words.account.old}
          type="password"
          autoComplete="current-password"
          value={old}
          onChange={setOld}
          error={isAboutOld ? error.message : undefined}
        />
        <TextField
          label={words.account.new}
          type="password"
          autoComplete="new-password"
          description={words.account.passwordLead}
          value={next}
          onChange={setNext}
          error={error !== null && !isAboutOld ? said(error) : undefined}
        />
        <TextField
          label={words.account.again}
          type="password"
          autoComplete="new-password"
          value={again}
          onChange={setAgain}
          error={isOther ? words.account.notTheSame : undefined}
        />
        <div>
          <Button
            kind="primary"
            type="submit"
            isPending={change.isPending}
            isDisabled={old === "" || next === "" || again !== next}
          >
            {words.account.change}
          </Button>
        </div>
      </Form>
    </Section>
  );
}
