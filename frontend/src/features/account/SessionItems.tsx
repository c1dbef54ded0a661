import { LogOut, Monitor, Smartphone } from "lucide-react";
import type { BrowserSession } from "@/api/types";
import { Pill } from "@/parts/StateMark";
import { IconButton } from "@/ui/Button";
import { Ago } from "@/ui/time";
import { words } from "@/words";
import css from "./Account.module.css";
import { browserName, isHandheld } from "./browser";

interface SessionItemsProps {
  readonly label: string;
  readonly sessions: readonly BrowserSession[];
  readonly onEnd: (session: BrowserSession) => void;
}

/** Browsers that somebody is signed in with. The one that shows this is left by signing out. */
export function SessionItems({ label, sessions, onEnd }: SessionItemsProps) {
  return (
    <ul className={css["list"]} aria-label={label}>
      {sessions.map((session) => {
        const name = browserName(session.browser);
        const Icon = isHandheld(session.browser) ? Smartphone : Monitor;
        return (
          <li key={session.id} className={css["item"]}>
            <Icon aria-hidden className={css["icon"]} />
            <div className={css["main"]}>
              <b className={css["name"]} title={session.browser ?? undefined}>
                {name}
              </b>
              <span className={css["detail"]}>
                {session.address !== null && `${words.sessions.from(session.address)} · `}
                {words.sessions.began} <Ago then={new Date(session.began_at)} />
                {!session.current && (
                  <>
                    {" "}
                    · {words.sessions.seen} <Ago then={new Date(session.seen_at)} />
                  </>
                )}
              </span>
            </div>
            {session.current ? (
              <span className={css["pills"]}>
                <Pill tone="ok">{words.sessions.current}</Pill>
              </span>
            ) : (
              <IconButton label={words.sessions.endOf(name)} onPress={() => onEnd(session)}>
                <LogOut aria-hidden />
              </IconButton>
            )}
          </li>
        );
      })}
    </ul>
  );
}
