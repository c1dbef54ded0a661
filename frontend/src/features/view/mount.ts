import type { Bundle, PluginApi } from "./bundles";

/**
 * A plugin's page, in a container of its own below `place`. Returned is what takes it down again, which never fails: what
 * a bundle does wrong then is reported, and the manager goes on.
 *
 * Throws what `mount` throws. What it fails with later, if it is asynchronous, comes to `onFailure`. In both cases it has
 * been taken down.
 */
export function mount(
  { registered, belongings }: Bundle,
  place: HTMLElement,
  api: PluginApi,
  onFailure: (error: unknown) => void,
): () => void {
  const container = document.createElement("div");
  let isLeft = false;
  function leave(tell: (error: unknown) => void): void {
    if (isLeft) return;
    isLeft = true;
    try {
      registered.unmount?.(container);
    } catch (error) {
      tell(error);
    }
    belongings.hide();
    container.remove();
  }
  // It never mounted: that it can't unmount either is no news.
  const giveUp = () => leave(() => undefined);
  place.append(container);
  belongings.show();
  try {
    const mounting = registered.mount(container, api);
    Promise.resolve(mounting).catch((error: unknown) => {
      if (isLeft) return;
      giveUp();
      onFailure(error);
    });
  } catch (error) {
    giveUp();
    throw error;
  }
  return () => leave(reportError);
}
