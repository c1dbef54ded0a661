// The page of the dashboard: figures as they come, and their last two minutes as lines.
(function () {
  "use strict";

  const STYLE = `
    .dashboard { max-width: 64rem; margin: 0 auto; color: hsl(var(--foreground)) }
    .dashboard header { display: flex; align-items: baseline; gap: .75rem; margin-bottom: 1rem }
    .dashboard h1 { margin: 0; font-size: 1.25rem; font-weight: 600 }
    .dashboard header span { color: hsl(var(--muted-foreground)) }
    .dashboard .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem }
    .dashboard article { padding: 1rem 1.25rem; background: hsl(var(--card)); border: 1px solid hsl(var(--border));
      border-radius: calc(var(--radius) * 1.5) }
    .dashboard h2 { margin: 0; font-size: .875rem; font-weight: 500; color: hsl(var(--muted-foreground)) }
    .dashboard .value { margin: .125rem 0 .75rem; font-size: 1.625rem; font-weight: 600; font-variant-numeric: tabular-nums }
    .dashboard .value small { font-size: .875rem; font-weight: 400; color: hsl(var(--muted-foreground)) }
    .dashboard svg { display: block; width: 100%; height: 4.5rem; overflow: visible }
    .dashboard .line { fill: none; stroke: hsl(var(--primary)); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round }
    .dashboard .area { fill: hsl(var(--primary) / .12) }
    .dashboard .grid { stroke: hsl(var(--border)); stroke-width: 1; vector-effect: non-scaling-stroke }
    .dashboard .full { height: .5rem; margin-top: 2.5rem; background: hsl(var(--muted)); border-radius: 1rem; overflow: hidden }
    .dashboard .full div { height: 100%; background: hsl(var(--primary)) }
    .dashboard .full div.scarce { background: hsl(var(--destructive)) }`;
  const KEPT = 120;
  const mounted = new Map();

  const size = (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = 0;
    while (bytes >= 1024 && power < units.length - 1) [bytes, power] = [bytes / 1024, power + 1];
    return `${bytes.toFixed(bytes < 10 && power ? 1 : 0)} ${units[power]}`;
  };
  const since = (seconds) => {
    const [days, hours, minutes] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
    return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : `${minutes} min`;
  };

  // Each tile: its title, what it shows of a sample (and of the one before), and what its line follows up to which top.
  const TILES = [
    {
      title: "Load",
      shows: (now) => [now.load[0].toFixed(2), `of ${now.processors} processors`],
      follows: (now) => now.load[0],
      top: (now) => now.processors,
    },
    {
      title: "Memory",
      shows: (now) => [size(now.memory.used), `of ${size(now.memory.total)}`],
      follows: (now) => now.memory.used,
      top: (now) => now.memory.total,
    },
    {
      title: "Network, received",
      shows: (now, before) => [`${size(rate(now, before, "received"))}/s`, `${size(now.network.received)} in all`],
      follows: (now, before) => rate(now, before, "received"),
    },
    {
      title: "Network, sent",
      shows: (now, before) => [`${size(rate(now, before, "sent"))}/s`, `${size(now.network.sent)} in all`],
      follows: (now, before) => rate(now, before, "sent"),
    },
    {
      title: "Disk",
      shows: (now) => [size(now.disk.used), `of ${size(now.disk.total)}`],
      part: (now) => now.disk.used / now.disk.total,
    },
  ];

  function rate(now, before, way) {
    const seconds = before ? now.at - before.at : 0;
    return seconds > 0 ? Math.max(0, now.network[way] - before.network[way]) / seconds : 0;
  }

  function tile(kind) {
    const article = document.createElement("article");
    article.innerHTML = `<h2></h2><p class="value"><span></span> <small></small></p>`;
    article.querySelector("h2").textContent = kind.title;
    article.insertAdjacentHTML(
      "beforeend",
      kind.part
        ? `<div class="full"><div></div></div>`
        : `<svg viewBox="0 0 ${KEPT - 1} 100" preserveAspectRatio="none" aria-hidden="true">
             <path class="grid" d="M0 0H${KEPT - 1}M0 50H${KEPT - 1}M0 100H${KEPT - 1}"/><path class="area"/><path class="line"/></svg>`,
    );
    const [value, note] = [article.querySelector(".value span"), article.querySelector(".value small")];
    const points = [];
    const take = (now, before) => {
      [value.textContent, note.textContent] = kind.shows(now, before);
      if (kind.part) {
        const bar = article.querySelector(".full div");
        bar.style.width = `${100 * kind.part(now)}%`;
        bar.classList.toggle("scarce", kind.part(now) > 0.9);
        return;
      }
      points.push(kind.follows(now, before));
      if (points.length > KEPT) points.shift();
      const top = Math.max(kind.top?.(now) ?? 0, ...points) || 1;
      const first = KEPT - points.length;
      const line = points.map((point, number) => `${first + number} ${(100 - (100 * point) / top).toFixed(2)}`).join("L");
      article.querySelector(".line").setAttribute("d", `M${line}`);
      article.querySelector(".area").setAttribute("d", `M${first} 100L${line}L${KEPT - 1} 100Z`);
    };
    return { article, take };
  }

  // Server-sent events over api.fetch, which knows where the plugin is.
  async function follow(api, signal, take) {
    const response = await api.fetch("/live", { signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data: "));
        if (data.length) take(JSON.parse(data.map((line) => line.slice(6)).join("\n")));
      }
    }
  }

  async function mount(container, api) {
    const view = document.createElement("section");
    view.className = "dashboard";
    view.innerHTML = `<style>${STYLE}</style><header><h1>This host</h1><span role="status">connecting…</span></header><div class="tiles"></div>`;
    const status = view.querySelector("[role=status]");
    const tiles = TILES.map(tile);
    view.querySelector(".tiles").append(...tiles.map(({ article }) => article));
    container.append(view);
    const leaving = new AbortController();
    mounted.set(container, { view, leaving });

    let before = null;
    const take = (now) => {
      for (const each of tiles) each.take(now, before);
      status.textContent = `up ${since(now.uptime)}`;
      before = now;
    };
    (async () => {
      while (!leaving.signal.aborted) {
        try {
          await follow(api, leaving.signal, take);
        } catch (error) {
          if (leaving.signal.aborted) return;
          status.textContent = `no figures: ${error.message}`;
        }
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    })();
  }

  function unmount(container) {
    const { view, leaving } = mounted.get(container) ?? {};
    leaving?.abort();
    view?.remove();
    mounted.delete(container);
  }

  window.ToruPlugins = window.ToruPlugins || {};
  window.ToruPlugins["dashboard"] = { mount, unmount };
})();
