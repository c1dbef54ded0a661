// Registers in a variable of its own, the other way there is; and has no way to unmount.
window["toru_plugin_@ID@"] = {
  mount(container) {
    container.textContent = "own is here";
  },
};
