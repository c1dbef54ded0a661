import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { CloudOff, FileQuestion, Info, Moon, PackageX, ScrollText, TriangleAlert } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useIsAdmin, usePlugin } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { appearance, reason } from "@/parts/appearance";
import { PluginSwitch } from "@/parts/PluginSwitch";
import { StatePill } from "@/parts/StateMark";
import { useWish, wishLook } from "@/parts/wishes";
import { Button, buttonClasses } from "@/ui/Button";
import { Notice, Skeleton } from "@/ui/notices";
import { words } from "@/words";
import { BundleError, loadBundle, mount } from "./bundles";
import css from "./PluginView.module.css";
import { makePluginApi } from "./pluginApi";

const route = getRouteApi("/view/$id/$");

/** A plugin's own page, in the place of one of ours. */
export default function PluginView() {
  const { id } = route.useParams();
  const plugin = usePlugin(id);
  useEffect(() => {
    document.title = `${plugin?.name ?? id} · Toru`;
  }, [plugin?.name, id]);
  if (plugin === undefined) return <Skeleton lines={6} />;
  if (plugin === null) {
    return (
      <Notice icon={<PackageX aria-hidden />} title={words.plugin.notFound} actions={<ToPlugins />}>
        {words.plugin.notFoundHint}
      </Notice>
    );
  }
  return (
    <div className={css["view"]}>
      <Head plugin={plugin} />
      {plugin.enabled ? <Enabled key={id} plugin={plugin} /> : <Disabled plugin={plugin} />}
    </div>
  );
}

/** Whose page it is, and, where it doesn't do well, why, with a way to its logs. */
function Head({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  const wish = useWish(plugin);
  const why = reason(plugin);
  const isUnwell = plugin.health !== "healthy";
  const first = isUnwell && isAdmin ? appearance(plugin).wishes[0] : undefined;
  return (
    <header className={css["head"]} data-unwell={isUnwell}>
      <h1 className={css["title"]}>{plugin.name}</h1>
      {(isUnwell || plugin.state !== "running") && <StatePill plugin={plugin} />}
      <p className={css["why"]} role="status">
        {isUnwell && why}
      </p>
      {first !== undefined && (
        <Button size="small" isPending={wish.isPending} onPress={() => wish.mutate(first)}>
          {wishLook(first, plugin).icon}
          {wishLook(first, plugin).label}
        </Button>
      )}
      {isAdmin && (
        <Link to="/plugins/$id/logs" params={{ id: plugin.id }} className={buttonClasses("quiet", "small")}>
          <ScrollText aria-hidden />
          {words.plugin.tabs.logs}
        </Link>
      )}
      <Link to="/plugins/$id" params={{ id: plugin.id }} className={buttonClasses("quiet", "small")}>
        <Info aria-hidden />
        {words.plugin.details}
      </Link>
    </header>
  );
}

type Phase =
  | { readonly kind: "loading" }
  | { readonly kind: "mounted" }
  | { readonly kind: "failed"; readonly error: unknown };

function Enabled({ plugin }: { readonly plugin: LivePlugin }) {
  const container = useRef<HTMLDivElement>(null);
  const [phase, setPhase] = useState<Phase>({ kind: "loading" });
  const [tries, setTries] = useState(0);
  const navigate = useNavigate();
  const go = useCallback(
    (path: string) => {
      if (path.startsWith("/")) void navigate({ to: path });
      else void navigate({ to: "/view/$id/$", params: { id: plugin.id, _splat: path } });
    },
    [navigate, plugin.id],
  );
  const address = plugin.route ?? `/${plugin.id}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each try is a new one
  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    let isGone = false;
    let mounted: { leave: () => void } | undefined;
    setPhase({ kind: "loading" });
    loadBundle(plugin.id)
      .then((bundle) => {
        if (isGone) return;
        mounted = mount(plugin.id, bundle, element, makePluginApi(plugin.id, address, go));
        setPhase({ kind: "mounted" });
      })
      .catch((error: unknown) => !isGone && setPhase({ kind: "failed", error }));
    return () => {
      isGone = true;
      try {
        mounted?.leave();
      } finally {
        element.replaceChildren();
      }
    };
  }, [plugin.id, address, go, tries]);

  return (
    <>
      {phase.kind === "loading" && <p className={css["loading"]}>{words.view.loading(plugin.name)}</p>}
      {phase.kind === "failed" && (
        <Failed plugin={plugin} error={phase.error} onRetry={() => setTries((before) => before + 1)} />
      )}
      <div
        ref={container}
        className={css["container"]}
        id={`toru-plugin-${plugin.id}`}
        data-phase={phase.kind}
        hidden={phase.kind === "failed"}
      />
    </>
  );
}

interface FailedProps {
  readonly plugin: LivePlugin;
  readonly error: unknown;
  readonly onRetry: () => void;
}

function Failed({ plugin, error, onRetry }: FailedProps) {
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
    case "unregistered":
      return { title: view.notRegistered, hint: view.notRegisteredHint(id), icon: <FileQuestion aria-hidden /> };
  }
}

function Disabled({ plugin }: { readonly plugin: LivePlugin }) {
  const isAdmin = useIsAdmin();
  return (
    <Notice
      icon={<Moon aria-hidden />}
      title={words.view.disabled}
      actions={isAdmin ? <PluginSwitch plugin={plugin} /> : <ToPlugins />}
    >
      {reason(plugin) ?? words.view.disabledHint}
    </Notice>
  );
}

function ToPlugins() {
  return (
    <Link to="/plugins" className={buttonClasses()}>
      {words.plugin.toPlugins}
    </Link>
  );
}
