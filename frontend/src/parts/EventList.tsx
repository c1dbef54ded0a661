import { Link } from "@tanstack/react-router";
import type { PluginEvent } from "@/api/types";
import { usePlugins } from "@/live/hooks";
import { date, timeOfDay } from "@/ui/format";
import { Ago } from "@/ui/time";
import { EVENTS } from "./appearance";
import css from "./EventList.module.css";
import { PluginIcon } from "./PluginIcon";
import { StateGlyph } from "./StateMark";

interface EventListProps {
  readonly label: string;
  readonly events: readonly PluginEvent[];
  /** Whose events they are, where that is not clear from the page. */
  readonly withPlugin?: boolean;
  readonly isShort?: boolean;
}

/** Newest first, under the days on which they happened. */
export function EventList({ label, events, withPlugin = false, isShort = false }: EventListProps) {
  const plugins = usePlugins();
  return (
    <ol className={css["list"]} aria-label={label}>
      {events.map((event, index) => {
        const then = new Date(event.timestamp);
        const before = events[index - 1];
        const isNewDay = before === undefined || date(new Date(before.timestamp)) !== date(then);
        const { label: kind, tone, glyph } = EVENTS[event.event_type];
        const plugin = plugins?.get(event.plugin_id);
        const run = event.details["invocation_id"];
        return (
          <li key={event.id} className={css["item"]} data-kind={event.event_type}>
            {isNewDay && !isShort && <span className={css["day"]}>{date(then)}</span>}
            <div className={css["event"]}>
              <span className={css["time"]}>{isShort ? <Ago then={then} /> : timeOfDay(then)}</span>
              <StateGlyph glyph={glyph} tone={tone} />
              <span className={css["text"]}>
                {withPlugin && (
                  <Link to="/plugins/$id" params={{ id: event.plugin_id }} className={css["plugin"]}>
                    <PluginIcon icon={plugin?.icon ?? null} name={plugin?.name ?? event.plugin_id} size="small" />
                    {plugin?.name ?? event.plugin_id}
                  </Link>
                )}
                {typeof run === "string" ? (
                  <Link
                    to="/plugins/$id/logs"
                    params={{ id: event.plugin_id }}
                    search={{ run }}
                    className={css["kind"]}
                  >
                    {kind}
                  </Link>
                ) : (
                  <span className={css["kind"]}>{kind}</span>
                )}
                {event.cause !== null && <span className={css["cause"]}>{event.cause}</span>}
              </span>
            </div>
          </li>
        );
      })}
    </ol>
  );
}
