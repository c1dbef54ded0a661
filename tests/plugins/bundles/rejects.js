// Shows something, asks somebody, and then gives up: as an async mount does whose first request fails.
window.ToruPlugins = window.ToruPlugins || {};
window.ToruPlugins["@ID@"] = {
  async mount(container) {
    container.textContent = "half of rejects";
    await new Promise((resolve) => setTimeout(resolve));
    throw new Error("the sprockets were not delivered");
  },
  unmount(container) {
    container.textContent = "";
  },
};
