// Makes itself at home as soon as it is loaded: a place for its dialogs, a style sheet without a node, a theme on <html>;
// locks <body> while a dialog is open, and takes its page down a moment after it was asked to.
(function () {
  const dialogs = document.createElement("div");
  dialogs.id = "dialogs-of-settled";
  dialogs.style.cssText = "display:flex; position:fixed; inset:auto 0 0 auto";
  dialogs.innerHTML = "<p>a dialog that stays</p>";
  document.body.appendChild(dialogs);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(":root{--primary:60 100% 50%}");
  document.adoptedStyleSheets.push(sheet);
  document.documentElement.classList.add("theme-of-settled");
  let toast;
  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["@ID@"] = {
    mount(container) {
      container.textContent = "settled is here";
      toast = document.createElement("div");
      toast.className = "toast-of-settled";
      toast.textContent = "a toast";
      document.body.appendChild(toast);
      document.body.style.pointerEvents = "none";
      document.body.classList.add("locked");
    },
    unmount() {
      const mine = toast;
      // As React's own removal of a portal: it throws when somebody else has removed it.
      setTimeout(() => document.body.removeChild(mine));
    },
  };
})();
