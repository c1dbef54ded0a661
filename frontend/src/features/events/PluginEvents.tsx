import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { EventKind } from "@/api/types";
import { EventsSection } from "./EventsSection";

const route = getRouteApi("/plugins/$id/events");

export default function PluginEvents() {
  const { id } = route.useParams();
  const [kind, setKind] = useState<EventKind>();
  return <EventsSection pluginId={id} kind={kind} onKind={setKind} />;
}
