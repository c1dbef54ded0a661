import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Database, Pencil, Plus, RefreshCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { answer, api } from "@/api/client";
import type { KvEntry } from "@/api/types";
import { said } from "@/parts/wishes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { SearchField } from "@/ui/fields";
import { bytes } from "@/ui/format";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toasts";
import { words } from "@/words";
import { EntryDialog } from "./EntryDialog";
import css from "./Storage.module.css";

const route = getRouteApi("/plugins/$id/storage");

/** What a plugin keeps, for admins. */
export default function Storage() {
  const { id } = route.useParams();
  const client = useQueryClient();
  const [prefix, setPrefix] = useState("");
  const [edited, setEdited] = useState<KvEntry | "new" | null>(null);
  const [doomed, setDoomed] = useState<string | null>(null);
  const entries = useInfiniteQuery({
    queryKey: ["kv", id, prefix],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/api/plugins/{plugin_id}/kv", {
          params: { path: { plugin_id: id }, query: { prefix, after: pageParam, limit: 100 } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
  const remove = useMutation({
    mutationFn: (key: string) =>
      answer(
        api.POST("/api/plugins/{plugin_id}/kv", {
          params: { path: { plugin_id: id } },
          body: { action: "delete", key },
        }),
      ),
    onSuccess: (_, key) => {
      toast(words.storage.deleted(key), "success");
      void client.invalidateQueries({ queryKey: ["kv", id] });
    },
    onError: (error) => toast(said(error), "error"),
  });
  const found = entries.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Section
      title={words.storage.title}
      note={words.storage.lead}
      actions={
        <>
          <IconButton label={words.storage.refresh} onPress={() => void entries.refetch()}>
            <RefreshCw aria-hidden />
          </IconButton>
          <Button onPress={() => setEdited("new")}>
            <Plus aria-hidden />
            {words.storage.add}
          </Button>
        </>
      }
    >
      <div className={css["tools"]}>
        <SearchField
          label={words.storage.search}
          placeholder={words.storage.search}
          clearLabel={words.clear}
          value={prefix}
          onChange={setPrefix}
        />
      </div>
      {entries.isPending && <Skeleton />}
      {entries.isError && <Failure error={entries.error} onRetry={() => void entries.refetch()} />}
      {entries.isSuccess && found.length === 0 && (
        <Notice icon={<Database aria-hidden />} title={prefix === "" ? words.storage.none : words.storage.noneFound}>
          {prefix === "" ? words.storage.noneHint : words.storage.noneFoundHint}
        </Notice>
      )}
      {found.length > 0 && (
        <table className={css["table"]} aria-label={words.storage.list}>
          <thead>
            <tr>
              <th scope="col">{words.storage.key}</th>
              <th scope="col">{words.storage.value}</th>
              <th scope="col" className={css["expires"]}>
                {words.storage.expires}
              </th>
              <th scope="col">
                <span className={css["hidden"]}>{words.plugins.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found.map((entry) => (
              <tr key={entry.key}>
                <th scope="row" className={css["key"]}>
                  {entry.key}
                </th>
                <td className={css["cell"]}>
                  <Value value={entry.value} />
                </td>
                <td className={css["expires"]}>
                  {entry.expires_at === null ? words.storage.never : <Ago then={new Date(entry.expires_at * 1000)} />}
                </td>
                <td className={css["actions"]}>
                  <IconButton label={words.storage.editOf(entry.key)} onPress={() => setEdited(entry)}>
                    <Pencil aria-hidden />
                  </IconButton>
                  <IconButton label={words.storage.deleteOf(entry.key)} onPress={() => setDoomed(entry.key)}>
                    <Trash2 aria-hidden />
                  </IconButton>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {entries.hasNextPage && (
        <div className={css["more"]}>
          <Button isPending={entries.isFetchingNextPage} onPress={() => void entries.fetchNextPage()}>
            {words.storage.more}
          </Button>
        </div>
      )}
      {edited !== null && (
        <EntryDialog pluginId={id} entry={edited === "new" ? null : edited} onClose={() => setEdited(null)} />
      )}
      <Confirm
        title={words.storage.deleteTitle}
        text={words.storage.deleteText(doomed ?? "")}
        action={words.delete}
        isOpen={doomed !== null}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed !== null && remove.mutate(doomed)}
      />
    </Section>
  );
}

const LONGEST_SHOWN = 300;

/** As much of a value as a row has room for. All of it is in the dialog. */
function Value({ value }: { readonly value: unknown }) {
  const text = JSON.stringify(value);
  if (text.length <= LONGEST_SHOWN) return <span className={css["value"]}>{text}</span>;
  return (
    <>
      <span className={css["value"]}>{text.slice(0, LONGEST_SHOWN)}…</span>
      <span className={css["size"]}>{words.storage.long(bytes(new Blob([text]).size))}</span>
    </>
  );
}
