// The page of notes: cards that are edited in place, and change when somebody else changes them.
(function () {
  "use strict";

  const STYLE = `
    .notes { max-width: 64rem; margin: 0 auto; color: hsl(var(--foreground)) }
    .notes form { margin-bottom: 1.5rem; padding: 1rem; background: hsl(var(--card)); border: 1px solid hsl(var(--border));
      border-radius: calc(var(--radius) * 1.5) }
    .notes textarea { display: block; width: 100%; box-sizing: border-box; min-height: 4.5rem; padding: 0; font: inherit; color: inherit;
      background: transparent; border: 0; outline: 0; resize: vertical }
    .notes form:focus-within, .notes article:focus-within { border-color: hsl(var(--ring)) }
    .notes .bar { display: flex; justify-content: flex-end; gap: .5rem; margin-top: .5rem }
    .notes button { padding: .375rem 1rem; font: inherit; font-weight: 500; cursor: pointer; border: 0; border-radius: var(--radius);
      color: hsl(var(--primary-foreground)); background: hsl(var(--primary)) }
    .notes button.quiet { padding: .25rem .5rem; color: hsl(var(--muted-foreground)); background: transparent }
    .notes button.quiet:hover { color: hsl(var(--foreground)); background: hsl(var(--accent)) }
    .notes button:focus-visible { outline: 2px solid hsl(var(--ring)); outline-offset: 2px }
    .notes .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; align-items: start }
    .notes article { padding: 1rem; background: hsl(var(--card)); border: 1px solid hsl(var(--border));
      border-radius: calc(var(--radius) * 1.5) }
    .notes article p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
    .notes footer { display: flex; align-items: center; gap: .25rem; margin-top: .75rem; font-size: .8125rem; color: hsl(var(--muted-foreground)) }
    .notes footer span { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
    .notes .empty { color: hsl(var(--muted-foreground)) }`;
  const mounted = new Map();
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" });

  async function mount(container, api) {
    const view = document.createElement("section");
    view.className = "notes";
    view.innerHTML = `<style>${STYLE}</style>
      <form><textarea name="text" placeholder="Write a note…" aria-label="A new note" required></textarea>
        <div class="bar"><button>Keep</button></div></form><div class="cards"></div>`;
    const form = view.querySelector("form");
    const cards = view.querySelector(".cards");
    container.append(view);
    // Toru's stream says when this plugin pushes something; where there is none (--dev), the page shows its own changes.
    const stream = new EventSource("/api/stream");
    mounted.set(container, { view, stream });

    async function ask(path, init) {
      const response = await api.fetch(path, init);
      if (response.ok) return response.status === 204 ? null : response.json();
      const problem = await response.json().catch(() => ({}));
      throw new Error(problem.detail || `status ${response.status}`);
    }

    async function attempt(work) {
      try {
        await work();
      } catch (error) {
        api.showToast(error.message, "error");
      }
    }

    const save = (path, method, text) =>
      ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }) });

    function card(note) {
      const article = document.createElement("article");
      article.dataset.id = note.id;
      article.innerHTML = `<p></p><footer><span></span><button class="quiet" type="button">Edit</button>
        <button class="quiet" type="button">Remove</button></footer>`;
      article.querySelector("p").textContent = note.text;
      const who = note.changed_by ? `${note.changed_by}, ` : "";
      article.querySelector("span").textContent = who + moment.format(note.changed_at * 1000);
      const [edit, remove] = article.querySelectorAll("button");
      edit.addEventListener("click", () => article.replaceWith(editor(note)));
      remove.addEventListener("click", () =>
        attempt(async () => {
          await ask(`/notes/${note.id}`, { method: "DELETE" });
          await show();
        }),
      );
      return article;
    }

    function editor(note) {
      const article = document.createElement("article");
      article.dataset.id = note.id;
      article.dataset.editing = "";
      article.innerHTML = `<textarea aria-label="The note"></textarea><div class="bar">
        <button class="quiet" type="button">Cancel</button><button type="button">Keep</button></div>`;
      const text = article.querySelector("textarea");
      text.value = note.text;
      const [cancel, keep] = article.querySelectorAll("button");
      cancel.addEventListener("click", () => article.replaceWith(card(note)));
      keep.addEventListener("click", () =>
        attempt(async () => {
          article.replaceWith(card(await save(`/notes/${note.id}`, "PUT", text.value)));
          await show();
        }),
      );
      return article;
    }

    async function show() {
      const notes = await ask("/notes");
      // What somebody is writing stays under their hands.
      const editing = new Map([...cards.querySelectorAll("[data-editing]")].map((it) => [it.dataset.id, it]));
      cards.replaceChildren(...notes.map((note) => editing.get(note.id) ?? card(note)));
      if (!notes.length) cards.innerHTML = `<p class="empty">Nothing here yet.</p>`;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(async () => {
        await save("/notes", "POST", form.text.value);
        form.reset();
        await show();
      });
    });
    stream.addEventListener("push", (event) => {
      if (JSON.parse(event.data).id === "notes") attempt(show);
    });
    await attempt(show);
  }

  function unmount(container) {
    const { view, stream } = mounted.get(container) ?? {};
    stream?.close();
    view?.remove();
    mounted.delete(container);
  }

  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["notes"] = { mount, unmount };
})();
