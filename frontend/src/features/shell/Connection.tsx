import { Unplug } from "lucide-react";
import { useConnection, useSession } from "@/live/hooks";
import { StateGlyph } from "@/parts/StateMark";
import { Button } from "@/ui/Button";
import { timeOfDay } from "@/ui/format";
import { words } from "@/words";
import css from "./Connection.module.css";

/** Whether what is shown is what is. */
export function ConnectionMark() {
  const connection = useConnection();
  switch (connection.kind) {
    case "live":
      return (
        <span className={css["mark"]}>
          <StateGlyph glyph="full" tone="ok" className={css["liveGlyph"]} />
          {words.shell.live}
        </span>
      );
    case "connecting":
      return (
        <span className={css["mark"]}>
          <StateGlyph glyph="turning" tone="calm" className={css["plainGlyph"]} />
          {words.shell.connecting}
        </span>
      );
    case "lost":
      return (
        <span className={css["mark"]}>
          <StateGlyph glyph="cross" tone="bad" className={css["lostGlyph"]} />
          {words.shell.lost}
        </span>
      );
  }
}

/** Says that what is shown may be old. A hiccup of a second is not worth it. */
export function ConnectionBanner() {
  const connection = useConnection();
  const { live } = useSession();
  const isLost = connection.kind === "lost" && connection.tries > 0;
  return (
    <div role="status">
      {isLost && (
        <div className={css["banner"]}>
          <Unplug aria-hidden />
          <span>
            <b>{words.shell.lost}.</b> {words.shell.lostText(timeOfDay(connection.since))}
          </span>
          <Button size="small" onPress={() => live.retry()}>
            {words.failure.retry}
          </Button>
        </div>
      )}
    </div>
  );
}
