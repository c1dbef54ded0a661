// Mounts well, and can't be unmounted.
window.ToruPlugins = window.ToruPlugins || {};
window.ToruPlugins["@ID@"] = {
  mount(container) {
    container.textContent = "stubborn is here";
  },
  unmount() {
    throw new Error("will not go");
  },
};
