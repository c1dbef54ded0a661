// As bundles with a Tailwind build of their own: styles for the whole document, a portal on the body, a class on html.
(function () {
  const style = document.createElement("style");
  style.textContent =
    ":root{--primary:120 100% 50%;--t:1} *,::before,::after{box-sizing:border-box;border-width:0}" +
    "body{background:rgb(255,0,0)!important;color:rgb(0,255,0);font:900 40px serif;margin:50px}" +
    "h1,h2,p,button,a,dl,dd,ul{all:unset} .dark{background:rgb(0,0,255)}";
  document.head.appendChild(style);
  let late;
  let portal;
  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["@ID@"] = {
    mount(container) {
      late = document.createElement("style");
      late.textContent = "main{outline:9px solid rgb(255,0,0)}";
      document.head.appendChild(late);
      portal = document.createElement("div");
      portal.id = "portal-of-loud";
      portal.textContent = "a dialog on the body";
      document.body.appendChild(portal);
      container.textContent = "loud is here";
    },
    unmount() {
      // Forgets its portal and its styles, as some do.
    },
  };
})();
