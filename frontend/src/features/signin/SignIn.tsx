import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { ApiError, answer, api } from "@/api/client";
import type { Me } from "@/api/types";
import { Mark } from "@/parts/Mark";
import { Button } from "@/ui/Button";
import { TextField } from "@/ui/fields";
import { words } from "@/words";
import css from "./SignIn.module.css";

export default function SignIn({ onSignedIn }: { readonly onSignedIn: (me: Me) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => answer(api.POST("/api/auth/login", { body: { name, password } })),
    onSuccess: onSignedIn,
    onError: () => setPassword(""),
  });
  useEffect(() => {
    document.title = `${words.signIn.title} · Toru`;
  }, []);

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate();
  }

  return (
    <main className={css["page"]}>
      <div className={css["scene"]} aria-hidden="true">
        <div className={css["sun"]} />
        <Mark className={css["gate"]} />
      </div>
      <div className={css["side"]}>
        <Form className={css["form"] ?? ""} onSubmit={submit}>
          <Mark className={css["mark"]} />
          <h1 className={css["title"]}>
            {words.signIn.title}
            <span className={css["lead"]}>
              {words.signIn.lead} <b>{location.hostname}</b>
            </span>
          </h1>
          <TextField
            label={words.signIn.name}
            name="username"
            autoComplete="username"
            value={name}
            onChange={setName}
            isRequired
            autoFocus
          />
          <TextField
            label={words.signIn.password}
            name="password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
            isRequired
          />
          <p className={css["error"]} role="alert">
            {signIn.isError && explained(signIn.error)}
          </p>
          <Button kind="primary" type="submit" isPending={signIn.isPending}>
            {signIn.isPending ? words.signIn.busy : words.signIn.submit}
          </Button>
          <p className={css["help"]}>
            {words.signIn.forgotten} <code>sudo toru user add NAME --admin</code>
          </p>
        </Form>
      </div>
    </main>
  );
}

function explained(error: Error): string {
  if (!(error instanceof ApiError)) return error.message;
  const wait = error.facts["retry_after"];
  if (error.status === 429 && typeof wait === "number") return words.signIn.wait(Math.ceil(wait));
  if (error.status === 401) return words.signIn.wrong;
  return error.isUnreachable ? words.failure.unreachable : error.message;
}
