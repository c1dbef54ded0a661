// The page of hello-rust: a classic script that registers an object with mount and unmount.
(function () {
  "use strict";

  const STYLE = `
    .hello-rust { max-width: 26rem; margin: 2rem auto; padding: 2rem; text-align: center; color: hsl(var(--card-foreground));
      background: hsl(var(--card)); border: 1px solid hsl(var(--border)); border-radius: calc(var(--radius) * 1.5) }
    .hello-rust h1 { margin: 0 0 .25rem; font-size: 1.25rem; font-weight: 600 }
    .hello-rust p { margin: 0 0 1.25rem; color: hsl(var(--muted-foreground)) }
    .hello-rust button { padding: .5rem 1.25rem; font: inherit; font-weight: 500; cursor: pointer; border: 0;
      color: hsl(var(--primary-foreground)); background: hsl(var(--primary)); border-radius: var(--radius) }
    .hello-rust button:focus-visible { outline: 2px solid hsl(var(--ring)); outline-offset: 2px }
    .hello-rust [role=status] { min-height: 1.5em; margin: 1.25rem 0 0; color: inherit }
    .hello-rust time { font-variant-numeric: tabular-nums }`;
  const mounted = new Map();

  // Server-sent events, read as they come: each is "data: SECONDS" and an empty line.
  async function follow(response, clock) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const events = (text + part.value).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const now = new Date(1000 * Number(event.slice("data: ".length)));
        clock.dateTime = now.toISOString();
        clock.textContent = now.toLocaleTimeString();
      }
    }
  }

  async function mount(container, api) {
    const view = document.createElement("section");
    view.className = "hello-rust";
    view.innerHTML = `<style>${STYLE}</style><h1>🦀 Hello from Rust</h1><p>The host's clock: <time>–</time></p>
      <button type="button">Say hello</button><p role="status"></p>`;
    const answer = view.querySelector("[role=status]");
    view.querySelector("button").addEventListener("click", async () => {
      try {
        const greeting = await (await api.fetch("/hello")).json();
        answer.textContent = `${greeting.message} Greeted ${greeting.greeted} times.`;
      } catch (error) {
        api.showToast(`hello-rust did not answer: ${error.message}`, "error");
      }
    });
    const leaving = new AbortController();
    container.append(view);
    mounted.set(container, { view, leaving });
    api
      .fetch("/clock", { signal: leaving.signal })
      .then((response) => follow(response, view.querySelector("time")))
      .catch(() => {}); // the clock stands still; the button says why
  }

  function unmount(container) {
    const { view, leaving } = mounted.get(container) ?? {};
    leaving?.abort();
    view?.remove();
    mounted.delete(container);
  }

  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["hello-rust"] = { mount, unmount };
})();
