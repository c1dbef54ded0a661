import { CalendarClock } from "lucide-react";
import type { EventKind } from "@/api/types";
import { EVENTS } from "@/parts/appearance";
import { EventList } from "@/parts/EventList";
import { Button } from "@/ui/Button";
import { Select } from "@/ui/fields";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";
import css from "./EventsSection.module.css";
import { useEvents } from "./useEvents";

interface EventsSectionProps {
  readonly pluginId?: string;
  readonly kind: EventKind | undefined;
  readonly onKind: (kind: EventKind | undefined) => void;
}

const KINDS = Object.keys(EVENTS) as EventKind[];

export function EventsSection({ pluginId, kind, onKind }: EventsSectionProps) {
  const found = useEvents({ pluginId, kind });
  return (
    <Section
      title={words.events.title}
      actions={
        <Select
          label={words.events.kind}
          value={kind ?? "all"}
          options={[
            { id: "all" as const, label: words.events.all },
            ...KINDS.map((id) => ({ id, label: EVENTS[id].label })),
          ]}
          onChange={(chosen) => onKind(chosen === "all" ? undefined : chosen)}
        />
      }
    >
      {found.isPending && <Skeleton lines={5} />}
      {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && found.events.length === 0 && (
        <Notice
          icon={<CalendarClock aria-hidden />}
          title={kind === undefined ? words.events.none : words.events.noneOfKind}
        >
          {kind === undefined ? words.events.noneHint : words.events.noneOfKindHint}
        </Notice>
      )}
      {found.events.length > 0 && (
        <EventList label={words.events.list} events={found.events} withPlugin={pluginId === undefined} />
      )}
      {found.hasNextPage && (
        <div className={css["more"]}>
          <Button isPending={found.isFetchingNextPage} onPress={() => void found.fetchNextPage()}>
            {words.events.older}
          </Button>
        </div>
      )}
    </Section>
  );
}
