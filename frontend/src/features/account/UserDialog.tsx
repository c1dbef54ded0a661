import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { answer, api } from "@/api/client";
import type { Role, User } from "@/api/types";
import { usePlugins } from "@/live/hooks";
import { said } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Checkbox, Select, TextField } from "@/ui/fields";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Account.module.css";

const ROLES: readonly Role[] = ["client", "admin"];

interface UserDialogProps {
  /** null: a new one. */
  readonly user: User | null;
  readonly onClose: () => void;
}

export function UserDialog({ user, onClose }: UserDialogProps) {
  const client = useQueryClient();
  const [name, setName] = useState(user?.name ?? "");
  const [role, setRole] = useState<Role>(user?.role ?? "client");
  const [password, setPassword] = useState("");
  const [isActive, setActive] = useState(user?.disabled !== true);
  const [grants, setGrants] = useState<readonly string[] | null>(user?.plugins ?? null);
  const save = useMutation({
    mutationFn: () => {
      const plugins = grants === null ? null : [...grants];
      if (user === null) return answer(api.POST("/api/users", { body: { name, role, password, plugins } }));
      const body = { role, disabled: !isActive, plugins, ...(password === "" ? {} : { password }) };
      return answer(api.PATCH("/api/users/{name}", { params: { path: { name: user.name } }, body }));
    },
    onSuccess: (saved) => {
      toast(user === null ? words.users.created(saved.name) : words.users.saved(saved.name), "success");
      void client.invalidateQueries({ queryKey: ["users"] });
      onClose();
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    save.mutate();
  }

  const isReady = name !== "" && (user !== null || password !== "");
  return (
    <Dialog title={user === null ? words.users.addTitle : words.users.editOf(user.name)} isOpen onClose={onClose}>
      <Form onSubmit={submit} style={{ display: "contents" }}>
        {user === null && (
          <TextField
            label={words.users.name}
            description={words.users.nameHint}
            autoComplete="off"
            value={name}
            onChange={setName}
            autoFocus
          />
        )}
        <TextField
          label={user === null ? words.users.password : words.users.newPassword}
          description={user === null ? words.account.passwordLead : words.users.newPasswordHint}
          type="password"
          autoComplete="new-password"
          value={password}
          onChange={setPassword}
        />
        <Select
          label={words.users.role}
          isLabelled
          value={role}
          options={ROLES.map((id) => ({ id, label: words.account.roles[id], detail: words.account.roleHints[id] }))}
          onChange={setRole}
        />
        {role === "client" && <Grants grants={grants} onChange={setGrants} />}
        {user !== null && (
          <Checkbox isSelected={isActive} onChange={setActive}>
            {words.users.mayIn}
          </Checkbox>
        )}
        {save.isError && (
          <p className={css["error"]} role="alert">
            {said(save.error)}
          </p>
        )}
        <DialogButtons>
          <Button onPress={onClose}>{words.cancel}</Button>
          <Button kind="primary" type="submit" isPending={save.isPending} isDisabled={!isReady}>
            {words.save}
          </Button>
        </DialogButtons>
      </Form>
    </Dialog>
  );
}

interface GrantsProps {
  /** null: all of them. */
  readonly grants: readonly string[] | null;
  readonly onChange: (grants: readonly string[] | null) => void;
}

function Grants({ grants, onChange }: GrantsProps) {
  const plugins = usePlugins();
  // Those that are granted but gone stay to be seen, and to be taken back.
  const ids = [...new Set([...(plugins?.keys() ?? []), ...(grants ?? [])])].sort();
  return (
    <fieldset className={css["choices"]}>
      <legend>{words.users.grants}</legend>
      <Checkbox isSelected={grants === null} onChange={(all) => onChange(all ? null : [])}>
        {words.users.allPlugins}
      </Checkbox>
      {grants !== null && (
        <div className={css["grants"]}>
          {ids.map((id) => (
            <Checkbox
              key={id}
              isSelected={grants.includes(id)}
              onChange={(granted) => onChange(granted ? [...grants, id] : grants.filter((other) => other !== id))}
            >
              {plugins?.get(id)?.name ?? id}
            </Checkbox>
          ))}
        </div>
      )}
    </fieldset>
  );
}
