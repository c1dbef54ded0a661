import { useRouter } from "@tanstack/react-router";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { LivePlugin } from "@/live/live";
import { words } from "@/words";
import { isScreen, placeOf } from "./address";
import { BundleError, loadBundle } from "./bundles";
import { Failed } from "./Failed";
import { followFragment } from "./links";
import { mount } from "./mount";
import css from "./PluginView.module.css";
import { makePluginApi } from "./pluginApi";

type Phase =
  | { readonly kind: "loading" }
  | { readonly kind: "mounted" }
  | { readonly kind: "failed"; readonly error: unknown };

/** Where a plugin's page is mounted: once, until somebody leaves it. */
export function Stage({ plugin }: { readonly plugin: LivePlugin }) {
  const place = useRef<HTMLElement>(null);
  const [phase, setPhase] = useState<Phase>({ kind: "loading" });
  const [tries, setTries] = useState(0);
  const retry = useCallback(() => setTries((before) => before + 1), []);
  const navigate = useNavigateOf(plugin.id);
  const address = plugin.route ?? `/${plugin.id}`;

  // What it has repainted is gone before the next screen is painted, and its container is still there when it unmounts.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each try is a new one
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    let isGone = false;
    let leave: (() => void) | undefined;
    const fail = (error: unknown) => !isGone && setPhase({ kind: "failed", error });
    setPhase({ kind: "loading" });
    loadBundle(plugin.id)
      .then((bundle) => {
        if (isGone) return;
        setPhase({ kind: "mounted" });
        leave = mount(bundle, element, makePluginApi(plugin.id, address, navigate), fail);
      })
      .catch(fail);
    element.addEventListener("click", followFragment);
    return () => {
      isGone = true;
      element.removeEventListener("click", followFragment);
      leave?.();
    };
  }, [plugin.id, address, navigate, tries]);

  // What a plugin serves itself can be had as soon as it is up again.
  const wasDown = useRef(false);
  useEffect(() => {
    const isStuck = phase.kind === "failed" && isUnreachable(phase.error);
    if (isStuck && wasDown.current && plugin.state === "running") retry();
    wasDown.current = isStuck && plugin.state !== "running";
  }, [phase, plugin.state, retry]);

  return (
    <>
      {phase.kind === "loading" && (
        <p className={css["loading"]} role="status">
          {words.view.loading(plugin.name)}
        </p>
      )}
      {phase.kind === "failed" && <Failed plugin={plugin} error={phase.error} onRetry={retry} />}
      <section
        ref={place}
        className={css["stage"]}
        aria-label={words.view.page(plugin.name)}
        data-phase={phase.kind}
        hidden={phase.kind === "failed"}
      />
    </>
  );
}

function isUnreachable(error: unknown): boolean {
  return error instanceof BundleError && error.fault === "unreachable";
}

function useNavigateOf(id: string): (path: string) => void {
  const { history } = useRouter();
  return useCallback(
    (path) => {
      const place = placeOf(id, path);
      if (isScreen(place)) {
        history.push(place.pathname + place.search + place.hash);
        history.flush(); // whoever looks at the address next finds it there
      } else if (place.protocol === "https:" || place.protocol === "http:") location.assign(place);
    },
    [history, id],
  );
}
