// The page of timers: a table, or what an operator has to do before there can be one.
(function () {
  "use strict";

  const STYLE = `
    .timers { max-width: 72rem; margin: 0 auto; color: hsl(var(--foreground)) }
    .timers header { display: flex; align-items: center; gap: 1rem; margin-bottom: 1rem }
    .timers h1 { flex: 1; margin: 0; font-size: 1.25rem; font-weight: 600 }
    .timers button { padding: .375rem .875rem; font: inherit; cursor: pointer; color: inherit; background: transparent;
      border: 1px solid hsl(var(--border)); border-radius: var(--radius) }
    .timers button:hover { background: hsl(var(--accent)) }
    .timers button:focus-visible { outline: 2px solid hsl(var(--ring)); outline-offset: 2px }
    .timers .card { overflow-x: auto; background: hsl(var(--card)); border: 1px solid hsl(var(--border)); border-radius: calc(var(--radius) * 1.5) }
    .timers table { width: 100%; border-collapse: collapse }
    .timers th { padding: .625rem 1rem; text-align: left; font-size: .8125rem; font-weight: 500; color: hsl(var(--muted-foreground)) }
    .timers td { padding: .625rem 1rem; border-top: 1px solid hsl(var(--border)); vertical-align: top }
    .timers small { display: block; color: hsl(var(--muted-foreground)) }
    .timers .mark { display: inline-block; padding: 0 .625rem; font-size: .8125rem; border-radius: 1rem; white-space: nowrap;
      color: hsl(var(--muted-foreground)); background: hsl(var(--muted)) }
    .timers .mark.bad { color: hsl(0 0% 100%); background: hsl(var(--destructive)) }
    .timers .notice { padding: 1.5rem }
    .timers .notice p { margin: 0 0 1rem }
    .timers .notice pre { margin: 0 0 1rem; padding: 1rem; overflow-x: auto; background: hsl(var(--muted)); border-radius: var(--radius) }`;
  const mounted = new Map();
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const distance = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

  function away(seconds) {
    const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
    const [unit, length] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
    return distance.format(Math.round(seconds / length), unit);
  }

  function cell(text, note) {
    const cell = document.createElement("td");
    cell.textContent = text;
    if (note) {
      const small = document.createElement("small");
      small.textContent = note;
      cell.append(small);
    }
    return cell;
  }

  function when(seconds) {
    return seconds === null ? cell("–") : cell(away(seconds - Date.now() / 1000), moment.format(seconds * 1000));
  }

  function outcome(timer) {
    const mark = document.createElement("span");
    const isBad = timer.result !== "" && timer.result !== "success";
    mark.className = isBad ? "mark bad" : "mark";
    const isRunning = timer.state === "active" || timer.state === "activating";
    const well = timer.last === null ? "never ran" : "went well";
    mark.textContent = isBad ? `${timer.result}, status ${timer.exit_code}` : isRunning ? "running" : well;
    const cell = document.createElement("td");
    cell.append(mark);
    return cell;
  }

  async function mount(container, api) {
    const view = document.createElement("section");
    view.className = "timers";
    view.innerHTML = `<style>${STYLE}</style><header><h1>Timers</h1><button type="button">Look again</button></header>
      <div class="card" aria-live="polite"></div>`;
    const card = view.querySelector(".card");
    container.append(view);
    mounted.set(container, view);

    function showTable(timers) {
      card.innerHTML = `<table><thead><tr><th>Timer</th><th>Next</th><th>Last</th><th>Its last run</th></tr></thead><tbody></tbody></table>`;
      card.querySelector("tbody").append(
        ...timers.map((timer) => {
          const row = document.createElement("tr");
          row.append(cell(timer.timer, timer.description), when(timer.next), when(timer.last), outcome(timer));
          return row;
        }),
      );
    }

    function showNotice(problem) {
      card.innerHTML = `<div class="notice"><p></p></div>`;
      const notice = card.firstChild;
      notice.querySelector("p").textContent = problem.detail || "The timers can't be read.";
      const part = (words, code) => {
        if (!code) return;
        const [said, block] = [document.createElement("p"), document.createElement("pre")];
        [said.textContent, block.textContent] = [words, code];
        notice.append(said, block);
      };
      part("In /etc/toru/toru.toml:", problem.facts?.grant);
      part("As root:", problem.facts?.commands);
    }

    async function show() {
      try {
        const response = await api.fetch("/timers");
        const said = await response.json();
        if (response.ok) showTable(said);
        else showNotice(said);
      } catch (error) {
        api.showToast(`the timers did not come: ${error.message}`, "error");
      }
    }

    view.querySelector("button").addEventListener("click", show);
    await show();
  }

  function unmount(container) {
    mounted.get(container)?.remove();
    mounted.delete(container);
  }

  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["timers"] = { mount, unmount };
})();
