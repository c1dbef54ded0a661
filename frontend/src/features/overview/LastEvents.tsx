import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CalendarClock } from "lucide-react";
import { answer, api } from "@/api/client";
import { laidOver } from "@/live/events";
import { useRecentEvents } from "@/live/hooks";
import { EventList } from "@/parts/EventList";
import { buttonClasses } from "@/ui/Button";
import { Failure, Notice, Skeleton } from "@/ui/notices";
import { Section } from "@/ui/page";
import { words } from "@/words";

const SHOWN = 10;

export function LastEvents() {
  const recent = useRecentEvents();
  const stored = useQuery({
    queryKey: ["events", "last"],
    queryFn: () => answer(api.GET("/api/events", { params: { query: { page_size: SHOWN } } })),
  });
  const events = laidOver(recent, stored.data?.events ?? []).slice(0, SHOWN);
  return (
    <Section
      title={words.overview.recent}
      actions={
        <Link to="/events" className={buttonClasses("quiet", "small")}>
          {words.overview.allEvents}
        </Link>
      }
    >
      {stored.isPending && <Skeleton />}
      {stored.isError && <Failure error={stored.error} onRetry={() => void stored.refetch()} />}
      {stored.isSuccess && events.length === 0 && (
        <Notice icon={<CalendarClock aria-hidden />} title={words.events.none}>
          {words.events.noneHint}
        </Notice>
      )}
      {events.length > 0 && <EventList label={words.overview.recent} events={events} withPlugin isShort />}
    </Section>
  );
}
