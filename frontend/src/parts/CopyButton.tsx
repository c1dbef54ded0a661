import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { IconButton } from "@/ui/Button";
import { toast } from "@/ui/toasts";
import { words } from "@/words";

/** Puts a text onto the clipboard; false where the browser doesn't let us (it wants HTTPS or localhost). */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [isDone, setDone] = useState(false);
  async function copy(): Promise<void> {
    if (await copied(text)) {
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } else {
      toast(words.logs.copyFailed, "error");
    }
  }
  return (
    <IconButton label={label} onPress={() => void copy()}>
      {isDone ? <Check aria-hidden /> : <Copy aria-hidden />}
    </IconButton>
  );
}
