// A page with places of its own, in the address: below its own, and behind a #.
(function () {
  const seen = (window.seenByPlaces = window.seenByPlaces || { mounts: 0, unmounts: 0 });
  let shown;
  const show = () => {
    shown.textContent = "at " + location.pathname.split("/view/@ID@")[1] + location.search + location.hash;
  };
  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["@ID@"] = {
    mount(container, api) {
      seen.mounts += 1;
      container.innerHTML =
        '<p></p><a href="#part">a part</a> <button id="own">its own way</button> <button id="api">by the api</button>';
      shown = container.querySelector("p");
      container.querySelector("#own").onclick = () => {
        history.pushState({}, "", location.pathname.replace(/\/*$/, "/") + "deeper?a=b");
        show();
      };
      container.querySelector("#api").onclick = () => {
        api.navigate("items/7?c=d");
        show();
      };
      addEventListener("popstate", show);
      addEventListener("hashchange", show);
      show();
    },
    unmount(container) {
      seen.unmounts += 1;
      removeEventListener("popstate", show);
      removeEventListener("hashchange", show);
      container.textContent = "";
    },
  };
})();
