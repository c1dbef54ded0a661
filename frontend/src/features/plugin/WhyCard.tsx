import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { HeartPulse } from "lucide-react";
import { useEffect } from "react";
import { answer, api } from "@/api/client";
import { useRecentEvents } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { LogText } from "@/parts/LogText";
import { buttonClasses } from "@/ui/Button";
import { duration } from "@/ui/format";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Facts, Section } from "@/ui/page";
import { Ago } from "@/ui/time";
import { words } from "@/words";
import css from "./WhyCard.module.css";

/** How the last run came to its end, with its last lines. */
export function WhyCard({ plugin }: { readonly plugin: LivePlugin }) {
  const client = useQueryClient();
  const key = ["why", plugin.id] as const;
  const newest = useRecentEvents().find((event) => event.plugin_id === plugin.id)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever something has happened to it
  useEffect(() => {
    void client.invalidateQueries({ queryKey: key });
  }, [client, plugin.id, plugin.state, newest]);
  const why = useQuery({
    queryKey: key,
    queryFn: () => answer(api.GET("/api/plugins/{plugin_id}/why", { params: { path: { plugin_id: plugin.id } } })),
  });
  const run = why.data?.last_run;
  return (
    <Section
      title={words.plugin.why}
      actions={
        run && (
          <Link
            to="/plugins/$id/logs"
            params={{ id: plugin.id }}
            search={{ run: run.invocation_id }}
            className={buttonClasses("quiet", "small")}
          >
            {words.plugin.allLines}
          </Link>
        )
      }
    >
      {why.isPending && <Skeleton />}
      {why.isError && <Failure error={why.error} onRetry={() => void why.refetch()} />}
      {why.data && !run && (
        <Notice icon={<HeartPulse aria-hidden />} title={words.plugin.whyNone}>
          {words.plugin.whyNoneHint}
        </Notice>
      )}
      {why.data && run && (
        <>
          <p className={css["reason"]}>{run.reason ?? words.plugin.wentWell}</p>
          <Facts
            facts={[
              { name: words.plugin.ended, value: <Ago then={new Date(run.ended_at)} /> },
              { name: words.plugin.lasted, value: run.seconds !== null && duration(run.seconds) },
              { name: words.plugin.result, value: run.result, isCode: true },
              { name: words.plugin.exitCode, value: run.exit_code, isCode: true },
              { name: words.plugin.signal, value: run.signal, isCode: true },
            ]}
          />
          <h3 className={css["heading"]}>{words.plugin.lastLines}</h3>
          {why.data.logs.length === 0 ? (
            <p className={css["silent"]}>{words.plugin.noLines}</p>
          ) : (
            <LogText lines={why.data.logs} label={words.plugin.lastLines} />
          )}
        </>
      )}
    </Section>
  );
}
