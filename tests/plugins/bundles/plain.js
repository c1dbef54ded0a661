// Registers in window.ToruPlugins, as most do, and shows all that it is handed.
(function () {
  const seen = (window.seenByPlain = window.seenByPlain || { mounts: 0, unmounts: 0, apis: new Set() });
  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["@ID@"] = {
    name: "plain",
    mount(container, api) {
      if (this.name !== "plain") throw new Error("mount was not called as a method");
      if (!document.contains(container)) throw new Error("the container is not in the document");
      seen.mounts += 1;
      seen.apis.add(api);
      window.apiOfPlain = api;
      container.innerHTML = '<p id="of-plain">plain is here</p>';
      document.getElementById("of-plain").title = "found by its id";
    },
    unmount(container) {
      if (this.name !== "plain") throw new Error("unmount was not called as a method");
      seen.unmounts += 1;
      container.textContent = "";
    },
  };
})();
