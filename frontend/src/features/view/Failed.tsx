import { Link } from "@tanstack/react-router";
import { CloudOff, FileQuestion, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useIsAdmin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { Button, buttonClasses } from "@/ui/Button";
import { Notice } from "@/ui/notices";
import { words } from "@/words";
import { BundleError } from "./bundles";

interface FailedProps {
  readonly plugin: LivePlugin;
  readonly error: unknown;
  readonly onRetry: () => void;
}

/** Why a plugin's page isn't there, and what to do. */
export function Failed({ plugin, error, onRetry }: FailedProps) {
  const isAdmin = useIsAdmin();
  const { title, hint, icon } = explained(error, plugin.id);
  const isMissing = error instanceof BundleError && error.fault === "missing";
  return (
    <Notice
      tone={isMissing ? "calm" : "bad"}
      icon={icon}
      title={title}
      actions={
        <>
          {!isMissing && <Button onPress={onRetry}>{words.view.retry}</Button>}
          {isAdmin && (
            <Link to="/plugins/$id/logs" params={{ id: plugin.id }} className={buttonClasses()}>
              {words.plugin.showLogs}
            </Link>
          )}
          <Link to="/plugins/$id" params={{ id: plugin.id }} className={buttonClasses()}>
            {words.plugin.details}
          </Link>
        </>
      }
    >
      {hint}
    </Notice>
  );
}

function explained(error: unknown, id: string): { title: string; hint: string; icon: ReactNode } {
  const { view } = words;
  if (!(error instanceof BundleError)) {
    return {
      title: view.threw,
      hint: error instanceof Error ? error.message : String(error),
      icon: <TriangleAlert aria-hidden />,
    };
  }
  switch (error.fault) {
    case "missing":
      return { title: view.noBundle, hint: view.noBundleHint, icon: <FileQuestion aria-hidden /> };
    case "unreachable":
      return { title: view.notLoaded, hint: error.message || words.failure.hint, icon: <CloudOff aria-hidden /> };
    case "timeout":
      return { title: view.notLoaded, hint: view.timedOut, icon: <CloudOff aria-hidden /> };
    case "mistaken":
      return { title: view.mistaken, hint: error.message, icon: <TriangleAlert aria-hidden /> };
    case "unregistered":
      return { title: view.notRegistered, hint: view.notRegisteredHint(id), icon: <FileQuestion aria-hidden /> };
  }
}
