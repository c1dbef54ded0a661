"""What `--dev` serves besides the plugin: `/_dev/`, a page that mounts the plugin's front end as the manager does."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Mapping
from typing import Any

from toru_plugin.exchange import Application, Exchange
from toru_plugin.headers import Headers
from toru_plugin.kv import Kv

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{name}</title>
<style>
  :root {{ --background: 0 0% 100%; --foreground: 240 10% 4%; --card: 0 0% 100%; --card-foreground: 240 10% 4%;
    --primary: 250 47% 47%; --primary-foreground: 0 0% 98%; --secondary: 240 5% 96%; --secondary-foreground: 240 6% 10%;
    --muted: 240 5% 96%; --muted-foreground: 240 4% 46%; --accent: 240 5% 96%; --accent-foreground: 240 6% 10%;
    --destructive: 0 72% 51%; --border: 240 6% 90%; --input: 240 6% 90%; --ring: 250 47% 47%; --radius: 0.5rem }}
  .dark {{ --background: 240 10% 4%; --foreground: 0 0% 98%; --card: 240 8% 7%; --card-foreground: 0 0% 98%;
    --primary: 250 80% 72%; --primary-foreground: 240 10% 4%; --secondary: 240 4% 16%; --secondary-foreground: 0 0% 98%;
    --muted: 240 4% 16%; --muted-foreground: 240 5% 65%; --accent: 240 4% 16%; --accent-foreground: 0 0% 98%;
    --destructive: 0 63% 51%; --border: 240 4% 16%; --input: 240 4% 16%; --ring: 250 80% 72%; color-scheme: dark }}
  body {{ margin: 0; background: hsl(var(--background)); color: hsl(var(--foreground));
    font: 15px/1.5 system-ui, sans-serif }}
  #bar {{ display: flex; gap: 1rem; align-items: center; padding: .5rem 1rem;
    border-bottom: 1px solid hsl(var(--border)) }}
  #view {{ padding: 1rem }}
</style>
<div id="bar"><strong>{icon} {name}</strong><button id="theme">Light or dark</button>
  <span id="toast" role="status"></span></div>
<main id="view"></main>
<script src="/bundle.js"></script>
<script>
(async () => {{
  const id = {id};
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.classList.toggle("dark", (localStorage.toruDevTheme ?? (dark ? "dark" : "")) === "dark");
  document.getElementById("theme").onclick = () => {{
    localStorage.toruDevTheme = root.classList.toggle("dark") ? "dark" : "";
  }};
  const showToast = (message, kind = "info") => {{
    document.getElementById("toast").textContent = `${{kind}}: ${{message}}`;
  }};
  const kv = async (wish) => {{
    const answer = await fetch("/_dev/kv", {{method: "POST", body: JSON.stringify(wish)}});
    return (await answer.json()).value;
  }};
  const api = {{
    fetch: (path, init) => fetch(path, init),
    navigate: (path) => showToast(`navigate to ${{path}}`),
    showToast,
    kv: {{
      get: (key) => kv({{action: "get", key}}),
      set: (key, value) => kv({{action: "set", key, value}}),
      delete: (key) => kv({{action: "delete", key}}),
    }},
  }};
  const plugin = (window.ToruPlugins ?? {{}})[id] ?? window[`toru_plugin_${{id}}`];
  if (!plugin) return showToast(`no front end has registered window.ToruPlugins[${{JSON.stringify(id)}}]`, "error");
  await plugin.mount(document.getElementById("view"), api);
}})();
</script></html>
"""


class Preview:
    """An application around the plugin's."""

    def __init__(self, application: Application, metadata: Mapping[str, Any]) -> None:
        self._application = application
        self._metadata = metadata

    async def start(self) -> None:
        await self._application.start()

    async def stop(self) -> None:
        await self._application.stop()

    async def __call__(self, exchange: Exchange) -> None:
        path = exchange.target.partition("?")[0]
        kv = getattr(self._application, "kv", None)
        if path in {"/_dev", "/_dev/"}:
            await exchange.answer(200, Headers({"content-type": "text/html; charset=utf-8"}), self._page())
        elif path == "/_dev/kv" and isinstance(kv, Kv):
            await self._storage(exchange, kv)
        elif "upgrade" in (exchange.headers.get("connection") or "").lower():
            detail = b"WebSockets are not carried by toru/2: for those, be an http plugin"
            await exchange.answer(501, Headers({"content-type": "text/plain"}), detail)
        else:
            await self._application(exchange)

    def _page(self) -> bytes:
        name, icon = html.escape(self._metadata["name"]), html.escape(self._metadata.get("icon", ""))
        return _PAGE.format(name=name, icon=icon, id=json.dumps(self._metadata["id"])).encode()

    async def _storage(self, exchange: Exchange, kv: Kv) -> None:
        body = b""
        while part := await exchange.receive():
            body += part
        wish = json.loads(body)
        value = None
        if wish["action"] == "set":
            value = wish["value"]
            await asyncio.to_thread(kv.set, wish["key"], value)
        elif wish["action"] == "delete":
            await asyncio.to_thread(kv.delete, wish["key"])
        else:
            value = await asyncio.to_thread(kv.get, wish["key"])
        answer = json.dumps({"value": value}).encode()
        await exchange.answer(200, Headers({"content-type": "application/json"}), answer)
