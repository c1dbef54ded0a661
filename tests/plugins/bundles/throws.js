window.ToruPlugins = window.ToruPlugins || {};
window.ToruPlugins["@ID@"] = {
  mount() {
    throw new Error("no sprockets left");
  },
  unmount() {
    throw new Error("nothing to take down");
  },
};
