import { useConnection, useSession } from "@/live/hooks";
import { Button } from "@/ui/Button";
import { Notice, Skeleton } from "@/ui/notices";
import { words } from "@/words";

/** In the place of plugins while they are not known: they are on their way, or Toru can't be reached. */
export function NotYet() {
  const { live } = useSession();
  const isLost = useConnection().kind === "lost";
  if (!isLost) return <Skeleton lines={6} />;
  return (
    <Notice
      tone="bad"
      title={words.failure.unreachable}
      actions={<Button onPress={() => live.retry()}>{words.failure.retry}</Button>}
    >
      {words.failure.hint}
    </Notice>
  );
}
