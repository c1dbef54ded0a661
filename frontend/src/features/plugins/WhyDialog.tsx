import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "@/api/client";
import type { LivePlugin } from "@/live/live";
import { appearance, reason } from "@/parts/appearance";
import { LogText } from "@/parts/LogText";
import { useWish, wishLook } from "@/parts/wishes";
import { Button, buttonClasses } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Failure, Skeleton } from "@/ui/notices";
import { words } from "@/words";
import css from "./PluginList.module.css";

interface WhyDialogProps {
  readonly plugin: LivePlugin;
  readonly onClose: () => void;
}

/** Why a plugin is not well, with the last lines of its last run, and what may be done about it. */
export default function WhyDialog({ plugin, onClose }: WhyDialogProps) {
  const wish = useWish(plugin);
  const first = appearance(plugin).wishes[0];
  const why = useQuery({
    queryKey: ["why", plugin.id],
    queryFn: () => answer(api.GET("/api/plugins/{plugin_id}/why", { params: { path: { plugin_id: plugin.id } } })),
    staleTime: 0,
  });
  const run = why.data?.last_run;
  return (
    <Dialog title={words.plugins.whyOf(plugin.name)} isOpen isWide onClose={onClose}>
      <div className={css["because"]}>
        <p className={css["becauseText"]}>{reason(plugin) ?? run?.reason ?? words.plugin.wentWell}</p>
        {why.isPending && <Skeleton />}
        {why.isError && <Failure error={why.error} onRetry={() => void why.refetch()} />}
        {why.data &&
          (why.data.logs.length === 0 ? (
            <p className={css["nothing"]}>{words.plugin.noLines}</p>
          ) : (
            <>
              <h3 className={css["becauseHead"]}>{words.plugin.lastLines}</h3>
              <LogText lines={why.data.logs} label={words.plugin.lastLines} />
            </>
          ))}
      </div>
      <DialogButtons>
        <Link
          to="/plugins/$id/logs"
          params={{ id: plugin.id }}
          search={run ? { run: run.invocation_id } : {}}
          className={buttonClasses()}
        >
          {words.plugin.allLines}
        </Link>
        {first !== undefined && (
          <Button kind="primary" isPending={wish.isPending} onPress={() => wish.mutate(first, { onSuccess: onClose })}>
            {wishLook(first, plugin).icon}
            {wishLook(first, plugin).label}
          </Button>
        )}
      </DialogButtons>
    </Dialog>
  );
}
