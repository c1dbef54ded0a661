import type { Plugin } from "@/api/types";
import { Switch } from "@/ui/Switch";
import { words } from "@/words";
import { useWish } from "./wishes";

/** Enables and disables. */
export function PluginSwitch({ plugin }: { readonly plugin: Plugin }) {
  const wish = useWish(plugin);
  return (
    <Switch
      label={words.plugin.enabled(plugin.name)}
      isSelected={plugin.enabled}
      isPending={wish.isPending}
      onChange={(selected) => wish.mutate(selected ? "enable" : "disable")}
    />
  );
}
