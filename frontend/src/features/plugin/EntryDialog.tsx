import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { answer, api } from "@/api/client";
import type { KvEntry } from "@/api/types";
import { said } from "@/parts/wishes";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { TextField } from "@/ui/fields";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import css from "./Storage.module.css";

interface EntryDialogProps {
  readonly pluginId: string;
  /** null: a new one. */
  readonly entry: KvEntry | null;
  readonly onClose: () => void;
}

interface Mistakes {
  readonly key?: string | undefined;
  readonly value?: string | undefined;
  readonly ttl?: string | undefined;
}

export function EntryDialog({ pluginId, entry, onClose }: EntryDialogProps) {
  const client = useQueryClient();
  const [key, setKey] = useState(entry?.key ?? "");
  const [value, setValue] = useState(entry === null ? "" : JSON.stringify(entry.value, null, 2));
  const [ttl, setTtl] = useState(() => secondsLeft(entry));
  const [isTried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/plugins/{plugin_id}/kv", {
          params: { path: { plugin_id: pluginId } },
          body: { action: "set", key, value: JSON.parse(value), ttl: ttl === "" ? null : Number(ttl) },
        }),
      ),
    onSuccess: () => {
      toast(words.storage.saved(key), "success");
      void client.invalidateQueries({ queryKey: ["kv", pluginId] });
      onClose();
    },
  });
  const mistakes: Mistakes = {
    key: key === "" ? words.storage.needsKey : undefined,
    value: isJson(value) ? undefined : words.storage.notJson,
    ttl: ttl === "" || Number(ttl) > 0 ? undefined : words.storage.notSeconds,
  };
  const shown: Mistakes = isTried ? mistakes : {};

  function submit(event: FormEvent): void {
    event.preventDefault();
    setTried(true);
    if (Object.values(mistakes).every((mistake) => mistake === undefined)) save.mutate();
  }

  return (
    <Dialog title={entry === null ? words.storage.add : words.storage.editOf(entry.key)} isOpen onClose={onClose}>
      <Form onSubmit={submit} style={{ display: "contents" }}>
        <TextField
          label={words.storage.key}
          value={key}
          onChange={setKey}
          error={shown.key}
          isReadOnly={entry !== null}
          isCode
        />
        <TextField label={words.storage.value} value={value} onChange={setValue} error={shown.value} rows={8} isCode />
        <TextField
          label={words.storage.ttl}
          description={words.storage.ttlHint}
          value={ttl}
          onChange={setTtl}
          error={shown.ttl}
        />
        {save.isError && (
          <p className={css["refused"]} role="alert">
            {said(save.error)}
          </p>
        )}
        <DialogButtons>
          <Button onPress={onClose}>{words.cancel}</Button>
          <Button kind="primary" type="submit" isPending={save.isPending}>
            {words.save}
          </Button>
        </DialogButtons>
      </Form>
    </Dialog>
  );
}

/** For how long it is still to be kept, as the field wants it; nothing for good. */
function secondsLeft(entry: KvEntry | null): string {
  if (entry === null || entry.expires_at === null) return "";
  return String(Math.max(1, Math.ceil(entry.expires_at - Date.now() / 1000)));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
