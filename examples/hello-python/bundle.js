// The page of hello-python: a classic script that registers an object with mount and unmount.
(function () {
  "use strict";

  const mounted = new Map();

  async function mount(container, api) {
    const button = document.createElement("button");
    button.textContent = "Say hello";
    const answer = document.createElement("p");
    answer.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        const response = await api.fetch("/hello");
        const greeting = await response.json();
        answer.textContent = `${greeting.message} Greeted ${greeting.greeted} times.`;
      } catch (error) {
        api.showToast(`hello-python did not answer: ${error.message}`, "error");
      }
    });
    const view = document.createElement("section");
    view.append(button, answer);
    container.append(view);
    mounted.set(container, view);
  }

  function unmount(container) {
    mounted.get(container)?.remove();
    mounted.delete(container);
  }

  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["hello-python"] = { mount, unmount };
})();
