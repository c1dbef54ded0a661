import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { History } from "lucide-react";
import { useEffect, useState } from "react";
import { answer, api } from "@/api/client";
import type { AnyRun } from "@/api/types";
import { usePlugin, useRecentEvents } from "@/live/hooks";
import type { Glyph, Tone } from "@/parts/appearance";
import { LogText } from "@/parts/LogText";
import { StateGlyph } from "@/parts/StateMark";
import { Button, buttonClasses } from "@/ui/Button";
import { dateAndTime, duration } from "@/ui/format";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Facts, Section } from "@/ui/page";
import { useNow } from "@/ui/time";
import { words } from "@/words";
import css from "./Runs.module.css";

const route = getRouteApi("/plugins/$id/runs");

/** Every run that the journal remembers: how long it lasted, and why it died. */
export default function Runs() {
  const { id } = route.useParams();
  const plugin = usePlugin(id);
  const client = useQueryClient();
  const newest = useRecentEvents().find((event) => event.plugin_id === id)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever something has happened to it
  useEffect(() => {
    void client.invalidateQueries({ queryKey: ["lives", id] });
  }, [client, id, plugin?.state, plugin?.invocation_id, newest]);
  const runs = useInfiniteQuery({
    queryKey: ["lives", id],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/api/plugins/{plugin_id}/runs", {
          params: { path: { plugin_id: id }, query: { after: pageParam, page_size: 20 } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const found = runs.data?.pages.flatMap((page) => page.runs) ?? [];
  return (
    <Section title={words.runs.title} note={words.runs.note}>
      {runs.isPending && <Skeleton lines={5} />}
      {runs.isError && <Failure error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.isSuccess && found.length === 0 && (
        <Notice icon={<History aria-hidden />} title={words.runs.none}>
          {words.runs.noneHint}
        </Notice>
      )}
      {found.length > 0 && (
        <ol className={css["runs"]} aria-label={words.runs.list}>
          {found.map((run) => (
            <li key={run.invocation_id} className={css["item"]} data-run={run.invocation_id}>
              <RunCard pluginId={id} run={run} />
            </li>
          ))}
        </ol>
      )}
      {runs.hasNextPage && (
        <div className={css["more"]}>
          <Button isPending={runs.isFetchingNextPage} onPress={() => void runs.fetchNextPage()}>
            {words.runs.older}
          </Button>
        </div>
      )}
    </Section>
  );
}

function RunCard({ pluginId, run }: { readonly pluginId: string; readonly run: AnyRun }) {
  const [isOpen, setOpen] = useState(false);
  const { text, tone, glyph } = outcome(run);
  return (
    <details className={css["run"]} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={css["summary"]}>
        <StateGlyph glyph={glyph} tone={tone} className={css["glyph"]} />
        <span className={css["outcome"]}>{text}</span>
        <span className={css["when"]}>
          {run.started_at === null ? words.runs.forgotten : dateAndTime(new Date(run.started_at))}
        </span>
        <span className={css["lasted"]}>
          <Lasted run={run} />
        </span>
      </summary>
      {isOpen && <Opened pluginId={pluginId} run={run} />}
    </details>
  );
}

/** What became of a run, in a word or two. */
function outcome(run: AnyRun): { readonly text: string; readonly tone: Tone; readonly glyph: Glyph } {
  if (run.running) return { text: words.runs.running, tone: "ok", glyph: "full" };
  if (run.reason !== null) return { text: run.reason, tone: "bad", glyph: "cross" };
  if (run.ended_at === null) return { text: words.runs.unseen, tone: "off", glyph: "half" };
  return { text: run.on_request ? words.runs.onRequest : words.runs.byItself, tone: "calm", glyph: "ring" };
}

function Lasted({ run }: { readonly run: AnyRun }) {
  if (run.seconds !== null) return duration(run.seconds);
  return run.running && run.started_at !== null ? <SoFar since={new Date(run.started_at)} /> : words.unknown;
}

function SoFar({ since }: { readonly since: Date }) {
  const now = useNow();
  return words.runs.soFar(duration(Math.max(0, (now.getTime() - since.getTime()) / 1000)));
}

function Opened({ pluginId, run }: { readonly pluginId: string; readonly run: AnyRun }) {
  const one = useQuery({
    queryKey: ["lives", pluginId, run.invocation_id],
    queryFn: () =>
      answer(
        api.GET("/api/plugins/{plugin_id}/runs/{invocation_id}", {
          params: { path: { plugin_id: pluginId, invocation_id: run.invocation_id } },
        }),
      ),
  });
  return (
    <div className={css["opened"]}>
      <Facts
        facts={[
          { name: words.plugin.result, value: run.result, isCode: true },
          { name: words.plugin.exitCode, value: run.exit_code, isCode: true },
          { name: words.plugin.signal, value: run.signal, isCode: true },
          { name: words.runs.started, value: run.started_at !== null && dateAndTime(new Date(run.started_at)) },
          { name: words.plugin.ended, value: run.ended_at !== null && dateAndTime(new Date(run.ended_at)) },
          { name: words.plugin.invocation, value: run.invocation_id, isCode: true },
        ]}
      />
      <div className={css["linesHead"]}>
        <h3 className={css["heading"]}>{words.plugin.lastLines}</h3>
        <Link
          to="/plugins/$id/logs"
          params={{ id: pluginId }}
          search={{ run: run.invocation_id }}
          className={buttonClasses("quiet", "small")}
        >
          {words.plugin.allLines}
        </Link>
      </div>
      {one.isPending && <Skeleton />}
      {one.isError && <Failure error={one.error} onRetry={() => void one.refetch()} />}
      {one.isSuccess &&
        (one.data.logs.length === 0 ? (
          <p className={css["silent"]}>{words.plugin.noLines}</p>
        ) : (
          <LogText lines={one.data.logs} label={words.plugin.lastLines} />
        ))}
    </div>
  );
}
