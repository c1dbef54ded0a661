import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Activity, Blocks, ChevronsUpDown, Gauge, LogOut, Monitor, Moon, Search, Sun, UserRound } from "lucide-react";
import { type KeyboardEvent, memo, type ReactNode, useCallback, useMemo } from "react";
import { Button as AriaButton } from "react-aria-components";
import { answer, api } from "@/api/client";
import { useConnection, useIsAdmin, usePlugins, useSession, useVersion } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { appearance, needsAttention } from "@/parts/appearance";
import { Mark } from "@/parts/Mark";
import { PluginIcon } from "@/parts/PluginIcon";
import { StateGlyph } from "@/parts/StateMark";
import { said } from "@/parts/wishes";
import { Menu } from "@/ui/Menu";
import { chooseTheme, type Theme } from "@/ui/theme";
import { toast } from "@/ui/toasts";
import { VirtualRows } from "@/ui/VirtualRows";
import { words } from "@/words";
import { ConnectionMark } from "./Connection";
import css from "./Side.module.css";

export function Side({ onSearch }: { readonly onSearch: () => void }) {
  const isAdmin = useIsAdmin();
  return (
    <div className={css["side"]}>
      <Link to="/" className={css["brand"]} aria-label={`Toru: ${words.shell.overview}`}>
        <Mark className={css["mark"]} />
        Toru
      </Link>
      <AriaButton className={css["search"] ?? ""} onPress={onSearch} aria-keyshortcuts="Control+K Meta+K">
        <Search aria-hidden />
        <span>{words.shell.palette}</span>
        <span className={css["key"]} aria-hidden="true">
          {/Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}
        </span>
      </AriaButton>
      <nav className={css["nav"]} aria-label={words.shell.main}>
        <Place to="/" icon={<Gauge aria-hidden />} label={words.shell.overview} isExact />
        <Place to="/plugins" icon={<Blocks aria-hidden />} label={words.shell.plugins} badge={<AttentionBadge />} />
        {isAdmin && <Place to="/events" icon={<Activity aria-hidden />} label={words.shell.events} />}
        <Place to="/accounts" icon={<UserRound aria-hidden />} label={words.shell.accounts} />
      </nav>
      <EnabledPlugins />
      <Foot />
    </div>
  );
}

interface PlaceProps {
  readonly to: "/" | "/plugins" | "/events" | "/accounts";
  readonly icon: ReactNode;
  readonly label: string;
  readonly badge?: ReactNode;
  readonly isExact?: boolean;
}

function Place({ to, icon, label, badge, isExact = false }: PlaceProps) {
  return (
    <Link
      to={to}
      className={css["place"]}
      activeOptions={{ exact: isExact, includeSearch: false }}
      activeProps={{ className: css["active"] ?? "" }}
    >
      {icon}
      <span className={css["label"]}>{label}</span>
      {badge}
    </Link>
  );
}

function AttentionBadge() {
  const plugins = usePlugins();
  const count = [...(plugins?.values() ?? [])].filter(needsAttention).length;
  if (count === 0) return null;
  return (
    <span className={css["badge"]}>
      {count}
      <span className={css["hidden"]}> {words.overview.attentionShort}</span>
    </span>
  );
}

/** What an operator uses is one click away. None is enabled: no heading either. */
function EnabledPlugins() {
  const plugins = usePlugins();
  const enabled = useMemo(() => {
    const found = [...(plugins?.values() ?? [])].filter((plugin) => plugin.enabled);
    return found.sort((a, b) => a.name.localeCompare(b.name));
  }, [plugins]);
  if (enabled.length === 0) return <div className={css["gap"]} />;
  return (
    <nav className={css["plugins"]} aria-label={words.shell.ofPlugins} onKeyDown={goByKeys}>
      <h2 className={css["heading"]}>{words.shell.plugins}</h2>
      <div className={css["list"]}>
        <VirtualRows items={enabled} keyOf={idOf} pixels={35} scroller={parent} role="list">
          {(plugin, index) => <EnabledPlugin plugin={plugin} position={index + 1} count={enabled.length} />}
        </VirtualRows>
      </div>
    </nav>
  );
}

interface EnabledPluginProps {
  readonly plugin: LivePlugin;
  /** Among all, of which the document holds only those in sight. */
  readonly position: number;
  readonly count: number;
}

const EnabledPlugin = memo(function EnabledPlugin({ plugin, position, count }: EnabledPluginProps) {
  const isHealthy = plugin.health === "healthy";
  const { label, glyph } = appearance(plugin);
  return (
    <div role="listitem" aria-posinset={position} aria-setsize={count} className={css["item"]}>
      <Link
        to="/view/$id/$"
        params={{ id: plugin.id, _splat: "" }}
        className={css["place"]}
        activeOptions={{ exact: false }}
        activeProps={{ className: css["active"] ?? "" }}
      >
        <PluginIcon icon={plugin.icon} name={plugin.name} size="small" />
        <span className={css["label"]}>{plugin.name}</span>
        <span className={css["dot"]} title={label} data-health={plugin.health}>
          <StateGlyph
            glyph={isHealthy ? (glyph === "moon" ? "moon" : "full") : "cross"}
            tone={isHealthy ? "ok" : "bad"}
            className={isHealthy ? css["ok"] : css["bad"]}
          />
          <span className={css["hidden"]}>{isHealthy ? words.shell.isWell : words.shell.isNotWell}</span>
        </span>
      </Link>
    </div>
  );
});

/** With many plugins nobody wants to press Tab for each. What gets the focus is scrolled to, and more is drawn around it. */
function goByKeys(event: KeyboardEvent<HTMLElement>): void {
  const links = [...event.currentTarget.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const list = links[0]?.closest("[role=list]")?.parentElement;
  if (at < 0 || list === null || list === undefined) return;
  switch (event.key) {
    case "ArrowDown":
      links[at + 1]?.focus();
      break;
    case "ArrowUp":
      links[at - 1]?.focus();
      break;
    case "Home":
    case "End":
      goToEnd(list, event.key === "Home");
      break;
    default:
      return;
  }
  event.preventDefault();
}

const FRAMES = 60;

/** The first or the last is drawn a moment after the list was scrolled there. */
function goToEnd(list: HTMLElement, isBeginning: boolean, tries = FRAMES): void {
  list.scrollTop = isBeginning ? 0 : list.scrollHeight;
  const link = [...list.querySelectorAll("a")].at(isBeginning ? 0 : -1);
  const item = link?.closest("[role=listitem]");
  if (item?.ariaPosInSet === (isBeginning ? "1" : item?.ariaSetSize)) link?.focus();
  else if (tries > 0) requestAnimationFrame(() => goToEnd(list, isBeginning, tries - 1));
}

const idOf = (plugin: LivePlugin) => plugin.id;
const parent = (rows: HTMLElement) => rows.parentElement;

const THEMES: readonly [Theme, ReactNode][] = [
  ["system", <Monitor key="system" aria-hidden />],
  ["light", <Sun key="light" aria-hidden />],
  ["dark", <Moon key="dark" aria-hidden />],
];

function Foot() {
  const { me } = useSession();
  const version = useVersion();
  const connection = useConnection();
  const signOut = useSignOut();
  return (
    <div className={css["foot"]}>
      <Menu
        label={me.name}
        actions={[
          ...THEMES.map(([theme, icon]) => ({
            id: theme,
            label: `${words.shell.theme}: ${words.shell.themes[theme]}`,
            icon,
            onAction: () => chooseTheme(theme),
          })),
          { id: "out", label: words.shell.signOut, icon: <LogOut aria-hidden />, onAction: signOut },
        ]}
      >
        <AriaButton className={css["user"] ?? ""}>
          <span className={css["hidden"]}>{words.shell.signedInAs}</span>
          <span className={css["initial"]} aria-hidden="true">
            {me.name.slice(0, 1).toUpperCase()}
          </span>
          <span className={css["who"]}>
            <b>{me.name}</b>
            <span>{words.account.roles[me.role]}</span>
          </span>
          <ChevronsUpDown aria-hidden />
        </AriaButton>
      </Menu>
      <div className={css["status"]} data-connection={connection.kind}>
        <ConnectionMark />
        {version !== undefined && <span>{words.shell.version(version)}</span>}
      </div>
    </div>
  );
}

export function useSignOut(): () => void {
  const { signedOut } = useSession();
  const { mutate } = useMutation({
    mutationFn: () => answer(api.POST("/api/auth/logout")),
    onSuccess: signedOut,
    onError: (error) => toast(said(error), "error"),
  });
  return useCallback(() => mutate(), [mutate]);
}
