import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { Compass, RefreshCw } from "lucide-react";
import { base } from "@/api/client";
import { checkedLogSearch } from "@/features/logs/search";
import { checkedPluginsSearch } from "@/features/plugins/search";
import { Shell } from "@/features/shell/Shell";
import { EVENTS } from "@/parts/appearance";
import { Button, buttonClasses } from "@/ui/Button";
import { Notice } from "@/ui/notices";
import { Page } from "@/ui/page";
import { words } from "@/words";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/overview/Overview")),
});

const plugins = createRoute({
  getParentRoute: () => root,
  path: "plugins",
  validateSearch: checkedPluginsSearch,
  component: lazyRouteComponent(() => import("@/features/plugins/PluginList")),
});

const plugin = createRoute({
  getParentRoute: () => root,
  path: "plugins/$id",
  component: lazyRouteComponent(() => import("@/features/plugin/PluginPage")),
});

const status = createRoute({
  getParentRoute: () => plugin,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/plugin/Status")),
});

const runs = createRoute({
  getParentRoute: () => plugin,
  path: "runs",
  component: lazyRouteComponent(() => import("@/features/plugin/Runs")),
});

const units = createRoute({
  getParentRoute: () => plugin,
  path: "units",
  component: lazyRouteComponent(() => import("@/features/plugin/Units")),
});

const logs = createRoute({
  getParentRoute: () => plugin,
  path: "logs",
  validateSearch: checkedLogSearch,
  component: lazyRouteComponent(() => import("@/features/logs/Logs")),
});

const pluginEvents = createRoute({
  getParentRoute: () => plugin,
  path: "events",
  component: lazyRouteComponent(() => import("@/features/events/PluginEvents")),
});

const storage = createRoute({
  getParentRoute: () => plugin,
  path: "storage",
  component: lazyRouteComponent(() => import("@/features/plugin/Storage")),
});

const view = createRoute({
  getParentRoute: () => root,
  path: "view/$id/$",
  component: lazyRouteComponent(() => import("@/features/view/PluginView")),
});

const events = createRoute({
  getParentRoute: () => root,
  path: "events",
  validateSearch: (search: Record<string, unknown>): { kind?: keyof typeof EVENTS } => {
    const kind = search["kind"];
    return typeof kind === "string" && kind in EVENTS ? { kind: kind as keyof typeof EVENTS } : {};
  },
  component: lazyRouteComponent(() => import("@/features/events/AllEvents")),
});

const accounts = createRoute({
  getParentRoute: () => root,
  path: "accounts",
  component: lazyRouteComponent(() => import("@/features/account/Accounts")),
});

const you = createRoute({
  getParentRoute: () => accounts,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/account/You")),
});

const users = createRoute({
  getParentRoute: () => accounts,
  path: "users",
  component: lazyRouteComponent(() => import("@/features/account/Users")),
});

const tree = root.addChildren([
  overview,
  plugins,
  plugin.addChildren([status, runs, units, logs, pluginEvents, storage]),
  view,
  events,
  accounts.addChildren([you, users]),
]);

export function makeRouter() {
  return createRouter({
    routeTree: tree,
    basepath: base.pathname,
    defaultPreload: "intent",
    defaultErrorComponent: Broken,
    scrollRestoration: true,
    scrollToTopSelectors: ["#main"],
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

function NotFound() {
  return (
    <Page title={words.shell.notFound}>
      <Notice
        icon={<Compass aria-hidden />}
        title={words.shell.notFoundHint}
        actions={
          <Link to="/" className={buttonClasses()}>
            {words.shell.toOverview}
          </Link>
        }
      />
    </Page>
  );
}

/** A screen that threw; or whose file is of a version that is no longer there. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const message = error instanceof Error ? error.message : String(error);
  const isOutdated = /dynamically imported module|Importing a module script|Unable to preload CSS/.test(message);
  return (
    <Notice
      tone="bad"
      icon={<RefreshCw aria-hidden />}
      title={isOutdated ? words.failure.newVersion : words.failure.crashed}
      actions={
        <>
          <Button kind="primary" onPress={() => location.reload()}>
            {words.failure.reload}
          </Button>
          {!isOutdated && <Button onPress={reset}>{words.failure.retry}</Button>}
        </>
      }
    >
      {isOutdated ? words.failure.newVersionHint : `${words.failure.crashedHint} (${message})`}
    </Notice>
  );
}
