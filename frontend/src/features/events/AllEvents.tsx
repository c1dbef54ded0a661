import { getRouteApi } from "@tanstack/react-router";
import { Page } from "@/ui/page";
import { words } from "@/words";
import { EventsSection } from "./EventsSection";

const route = getRouteApi("/events");

export default function AllEvents() {
  const { kind } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title={words.events.title} lead={words.events.lead}>
      <EventsSection
        kind={kind}
        onKind={(chosen) => void navigate({ search: chosen === undefined ? {} : { kind: chosen }, replace: true })}
      />
    </Page>
  );
}
