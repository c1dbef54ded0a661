import { useNavigate } from "@tanstack/react-router";
import {
  Activity,
  Blocks,
  Gauge,
  Info,
  LogOut,
  Monitor,
  Moon,
  ScrollText,
  Search,
  Sun,
  UserRound,
  Users,
} from "lucide-react";
import { type ReactNode, useMemo } from "react";
import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  SearchField,
  useFilter,
} from "react-aria-components";
import { useIsAdmin, usePlugins } from "@/live/hooks";
import { appearance } from "@/parts/appearance";
import { PluginIcon } from "@/parts/PluginIcon";
import { send, wishLook } from "@/parts/wishes";
import { chooseTheme } from "@/ui/theme";
import { words } from "@/words";
import css from "./Palette.module.css";
import { useSignOut } from "./Side";

interface Command {
  readonly id: string;
  readonly label: string;
  readonly icon: ReactNode;
  readonly run: () => void;
}

interface Group {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** Everything that can be gone to or done, by typing a part of its name. */
export default function Palette({ onClose }: { readonly onClose: () => void }) {
  const { contains } = useFilter({ sensitivity: "base" });
  const groups = useCommands();
  return (
    <ModalOverlay className={css["scrim"] ?? ""} isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <Modal className={css["modal"] ?? ""}>
        <Dialog className={css["dialog"] ?? ""} aria-label={words.palette.title}>
          <Autocomplete
            filter={(text, typed, node) =>
              typed === "" ? isShort(node.key) : typed.split(/\s+/).every((word) => contains(text, word))
            }
          >
            <SearchField className={css["search"] ?? ""} aria-label={words.palette.placeholder} autoFocus>
              <Search aria-hidden />
              <Input className={css["input"] ?? ""} placeholder={words.palette.placeholder} />
            </SearchField>
            <Menu
              className={css["commands"] ?? ""}
              aria-label={words.palette.title}
              renderEmptyState={() => <p className={css["none"]}>{words.palette.none}</p>}
            >
              {groups.map((group) => (
                <MenuSection key={group.title}>
                  <Header className={css["heading"] ?? ""}>{group.title}</Header>
                  {group.commands.map((command) => (
                    <MenuItem
                      key={command.id}
                      id={command.id}
                      textValue={command.label}
                      className={css["command"] ?? ""}
                      onAction={() => {
                        onClose();
                        command.run();
                      }}
                    >
                      {command.icon}
                      <span className={css["label"]}>{command.label}</span>
                    </MenuItem>
                  ))}
                </MenuSection>
              ))}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** What is offered before anything is typed: where one goes every day. */
function isShort(key: string | number): boolean {
  return !/^(?:details|logs|enable|disable|restart|pause|resume|retry) /.test(String(key));
}

function useCommands(): readonly Group[] {
  const navigate = useNavigate();
  const plugins = usePlugins();
  const isAdmin = useIsAdmin();
  const signOut = useSignOut();
  return useMemo(() => {
    const all = [...(plugins?.values() ?? [])].sort((a, b) => a.name.localeCompare(b.name));
    const pages: Command[] = [
      {
        id: "overview",
        label: words.shell.overview,
        icon: <Gauge aria-hidden />,
        run: () => void navigate({ to: "/" }),
      },
      {
        id: "plugins",
        label: words.shell.plugins,
        icon: <Blocks aria-hidden />,
        run: () => void navigate({ to: "/plugins" }),
      },
      ...(isAdmin
        ? [
            {
              id: "events",
              label: words.shell.events,
              icon: <Activity aria-hidden />,
              run: () => void navigate({ to: "/events" }),
            },
          ]
        : []),
      {
        id: "accounts",
        label: words.shell.accounts,
        icon: <UserRound aria-hidden />,
        run: () => void navigate({ to: "/accounts" }),
      },
      ...(isAdmin
        ? [
            {
              id: "users",
              label: words.account.users,
              icon: <Users aria-hidden />,
              run: () => void navigate({ to: "/accounts/users" }),
            },
          ]
        : []),
    ];
    const ofPlugins: Command[] = all.flatMap((plugin) => {
      const params = { id: plugin.id };
      const icon = <PluginIcon key={plugin.id} icon={plugin.icon} name={plugin.name} size="small" />;
      return [
        ...(plugin.enabled
          ? [
              {
                id: `open ${plugin.id}`,
                label: words.palette.open(plugin.name),
                icon,
                run: () => void navigate({ to: "/view/$id/$", params: { ...params, _splat: "" } }),
              },
            ]
          : []),
        {
          id: `details ${plugin.id}`,
          label: words.palette.details(plugin.name),
          icon: <Info aria-hidden />,
          run: () => void navigate({ to: "/plugins/$id", params }),
        },
        ...(isAdmin
          ? [
              {
                id: `logs ${plugin.id}`,
                label: words.palette.logs(plugin.name),
                icon: <ScrollText aria-hidden />,
                run: () => void navigate({ to: "/plugins/$id/logs", params }),
              },
            ]
          : []),
      ];
    });
    const wishes: Command[] = !isAdmin
      ? []
      : all.flatMap((plugin) =>
          ([plugin.enabled ? "disable" : "enable", ...appearance(plugin).wishes] as const).map((wish) => {
            const { label, icon } = wishLook(wish, plugin);
            return {
              id: `${wish} ${plugin.id}`,
              label: words.palette.wish(label, plugin.name),
              icon,
              run: () => void send(wish, plugin).catch(() => undefined), // a toast has said it
            };
          }),
        );
    const general: Command[] = [
      ["light", <Sun key="light" aria-hidden />] as const,
      ["dark", <Moon key="dark" aria-hidden />] as const,
      ["system", <Monitor key="system" aria-hidden />] as const,
    ].map(([theme, icon]) => ({
      id: `theme ${theme}`,
      label: words.palette.themeTo(words.shell.themes[theme]),
      icon,
      run: () => chooseTheme(theme),
    }));
    general.push({ id: "sign out", label: words.shell.signOut, icon: <LogOut aria-hidden />, run: signOut });
    return [
      { title: words.palette.pages, commands: pages },
      { title: words.palette.plugins, commands: ofPlugins },
      { title: words.palette.actions, commands: [...wishes, ...general] },
    ].filter((group) => group.commands.length > 0);
  }, [plugins, isAdmin, navigate, signOut]);
}
