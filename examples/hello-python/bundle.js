// The page of hello-python: a classic script that registers an object with mount and unmount.
(function () {
  "use strict";

  const STYLE = `
    .hello-python { max-width: 26rem; margin: 2rem auto; padding: 2rem; text-align: center; color: hsl(var(--card-foreground));
      background: hsl(var(--card)); border: 1px solid hsl(var(--border)); border-radius: calc(var(--radius) * 1.5) }
    .hello-python h1 { margin: 0 0 .25rem; font-size: 1.25rem; font-weight: 600 }
    .hello-python p { margin: 0 0 1.25rem; color: hsl(var(--muted-foreground)) }
    .hello-python button { padding: .5rem 1.25rem; font: inherit; font-weight: 500; cursor: pointer; border: 0;
      color: hsl(var(--primary-foreground)); background: hsl(var(--primary)); border-radius: var(--radius) }
    .hello-python button:focus-visible { outline: 2px solid hsl(var(--ring)); outline-offset: 2px }
    .hello-python [role=status] { min-height: 1.5em; margin: 1.25rem 0 0; color: inherit }`;
  const mounted = new Map();

  async function mount(container, api) {
    const view = document.createElement("section");
    view.className = "hello-python";
    view.innerHTML = `<style>${STYLE}</style><h1>🐍 Hello from Python</h1><p>The smallest useful plugin.</p>
      <button type="button">Say hello</button><p role="status"></p>`;
    const answer = view.querySelector("[role=status]");
    view.querySelector("button").addEventListener("click", async () => {
      try {
        const response = await api.fetch("/hello");
        const greeting = await response.json();
        answer.textContent = `${greeting.message} Greeted ${greeting.greeted} times.`;
      } catch (error) {
        api.showToast(`hello-python did not answer: ${error.message}`, "error");
      }
    });
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
