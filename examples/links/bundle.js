// The page of links: a list, and a form that adds to it.
(function () {
  "use strict";

  const STYLE = `
    .links { max-width: 44rem; margin: 0 auto; color: hsl(var(--foreground)) }
    .links h1 { margin: 0 0 1rem; font-size: 1.25rem; font-weight: 600 }
    .links form { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: 1.25rem }
    .links input { flex: 1 1 12rem; min-width: 0; padding: .5rem .75rem; font: inherit; color: inherit; background: transparent;
      border: 1px solid hsl(var(--input)); border-radius: var(--radius) }
    .links :is(input, button, a):focus-visible { outline: 2px solid hsl(var(--ring)); outline-offset: 1px }
    .links form button { padding: .5rem 1.25rem; font: inherit; font-weight: 500; cursor: pointer; border: 0;
      color: hsl(var(--primary-foreground)); background: hsl(var(--primary)); border-radius: var(--radius) }
    .links ul { margin: 0; padding: 0; list-style: none; border: 1px solid hsl(var(--border)); border-radius: calc(var(--radius) * 1.5);
      background: hsl(var(--card)); overflow: hidden }
    .links li { display: flex; align-items: center; gap: 1rem; padding: .75rem 1rem }
    .links li + li { border-top: 1px solid hsl(var(--border)) }
    .links li > div { flex: 1; min-width: 0 }
    .links a { color: hsl(var(--primary)); font-weight: 500; text-decoration: none }
    .links a:hover { text-decoration: underline }
    .links small { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: hsl(var(--muted-foreground)) }
    .links li button { padding: .25rem .5rem; font: inherit; cursor: pointer; color: hsl(var(--muted-foreground));
      background: transparent; border: 0; border-radius: var(--radius) }
    .links li button:hover { color: hsl(var(--destructive)); background: hsl(var(--accent)) }
    .links .empty { justify-content: center; padding: 2rem; color: hsl(var(--muted-foreground)) }`;
  const mounted = new Map();

  async function mount(container, api) {
    const view = document.createElement("section");
    view.className = "links";
    view.innerHTML = `<style>${STYLE}</style><h1>Links</h1>
      <form><input name="title" placeholder="Title" aria-label="Title" required maxlength="120">
        <input name="url" type="url" placeholder="https://…" aria-label="Address" required><button>Add</button></form>
      <ul></ul>`;
    const form = view.querySelector("form");
    const list = view.querySelector("ul");
    container.append(view);
    mounted.set(container, view);

    async function ask(path, init) {
      const response = await api.fetch(path, init);
      if (response.ok) return response.status === 204 ? null : response.json();
      const problem = await response.json().catch(() => ({}));
      const detail = Array.isArray(problem.detail) ? problem.detail.map((it) => it.msg).join("; ") : problem.detail;
      throw new Error(detail || `status ${response.status}`);
    }

    async function attempt(work) {
      try {
        await work();
      } catch (error) {
        api.showToast(error.message, "error");
      }
    }

    function row(link) {
      const item = document.createElement("li");
      item.innerHTML = `<div><a target="_blank" rel="noopener noreferrer"></a><small></small></div><button type="button">Remove</button>`;
      const anchor = item.querySelector("a");
      anchor.textContent = link.title;
      anchor.href = link.url;
      item.querySelector("small").textContent = link.added_by ? `${link.url} · added by ${link.added_by}` : link.url;
      item.querySelector("button").setAttribute("aria-label", `Remove ${link.title}`);
      item.querySelector("button").addEventListener("click", () =>
        attempt(async () => {
          await ask(`/links/${link.id}`, { method: "DELETE" });
          await show();
        }),
      );
      return item;
    }

    async function show() {
      const links = await ask("/links");
      list.replaceChildren(...links.map(row));
      if (!links.length) list.innerHTML = `<li class="empty">No links yet. Add what everybody here should find.</li>`;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(async () => {
        const body = JSON.stringify(Object.fromEntries(new FormData(form)));
        await ask("/links", { method: "POST", headers: { "Content-Type": "application/json" }, body });
        form.reset();
        await show();
      });
    });
    await attempt(show);
  }

  function unmount(container) {
    mounted.get(container)?.remove();
    mounted.delete(container);
  }

  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["links"] = { mount, unmount };
})();
