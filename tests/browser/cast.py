"""Plugins as an operator might have them: for pictures, and for looking at every screen with something on it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.browser.browser import ADMIN, CLIENT, PASSWORD, let_in
from tests.examples.stage import put_in_place
from tests.hosts.host import Host
from tests.system.toru import Toru

WEATHER_LINES: list[object] = [
    "listening on the inherited socket",
    {"level": "info", "message": "forecast fetched", "station": "Innsbruck", "milliseconds": 184},
    {"level": "debug", "message": "cache: 12 hits, 3 misses"},
    {"level": "warning", "message": "station Zugspitze answers slowly", "seconds": 4.2},
    "<3>station Brocken: connection refused, next try in 60 s",
    {"level": "info", "message": "forecast sent to 14 readers"},
]

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605 Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
CHROME = f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36"
BROWSERS = {ADMIN: (SAFARI, FIREFOX), "ina": (EDGE, CHROME)}

Metadata = dict[str, object]


def _about(name: str, icon: str, author: str, description: str, **more: object) -> Metadata:
    return {"name": name, "icon": icon, "author": author, "description": description, **more}


def put_on_stage(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfailures = 3\nfirst_delay = 0.2\nmax_delay = 0.4\n")
    toru.plant(
        "weather",
        "lively.py",
        metadata=_about("Weather", "⛅", "Lake Station", "Forecasts for the region.", version="2.4.1"),
        lines=WEATHER_LINES,
        again_every=4,
        memory_mib=58,
        works=0.12,
    )
    toru.plant(
        "backup",
        "lively.py",
        metadata=_about("Backup", "💾", "Ops", "Copies what matters, at night.", limits={"memory": "256M"}),
        lines=["12,481 files unchanged", "snapshot done in 38 s"],
        again_every=20,
        memory_mib=120,
        works=0.04,
    )
    toru.plant(
        "archive",
        metadata=_about("Archive", "🗄️", "Ops", "Sleeps until somebody asks for an old file.", start="on-demand"),
    )
    toru.plant(
        "metrics",
        "lively.py",
        metadata=_about("House Metrics", "📈", "Ina K.", "Room by room.", version="3.0.0"),
        memory_mib=31,
        works=0.02,
    )
    toru.plant("camera", metadata=_about("Camera", "📷", "Ina K.", "The front door.", version="1.2.0"))
    toru.plant(
        "mailer",
        "lively.py",
        metadata=_about("Mailer", "✉️", "Ops", "Hands mail on.", version="1.0.3"),
        lines=["connecting to mail.local:25", "<3>mail.local:25: certificate expired yesterday", "giving up"],
        dies_after=0.3,
    )
    toru.plant("notes", metadata=_about("Notes", "📝", "Carl", "A page to write on.", version="0.3.0"))
    with tempfile.TemporaryDirectory() as directory:
        put_in_place(toru, "hello-python", Path(directory))
    toru.drop("broken.binary", "#!/bin/sh\necho hello\n")
    toru.drop("nameless.binary", '#!/bin/sh\necho \'{"id": "no spaces please"}\'\n')
    toru.scan()
    toru.disable("notes")
    host.run("systemctl", "freeze", "toru-plugin-camera.service", check=False)
    toru.wait_until("the mailer to be given up", lambda: not toru.plugin("mailer")["enabled"], 60)
    for key, value in {
        "station/default": "Innsbruck",
        "units": {"temperature": "°C", "wind": "km/h"},
        "readers": ["kitchen", "hall", "phone-of-ina"],
        "last-forecast": {"at": "2026-03-01T06:00:00Z", "high": 14, "low": 3, "rain": 0.2},
    }.items():
        body = json.dumps({"action": "set", "key": key, "value": value})
        host.run(
            *("curl", "--silent", "--fail", "--unix-socket", "/run/toru/api.sock", "--data", body),
            *("-HContent-Type: application/json", "http://toru/api/plugins/weather/kv"),
        )


def let_people_in(host: Host, address: str) -> None:
    """Users with what belongs to them; calling it again changes little."""
    let_in(host, ADMIN, "--admin")
    let_in(host, CLIENT)
    let_in(host, "ina", "--plugin", "weather", "--plugin", "camera")
    let_in(host, "otto", "--admin")
    host.run("toru", "user", "disable", "otto")
    for name, scopes in (("night backup", ("read",)), ("deploy", ("use", "manage"))):
        wanted = [option for scope in scopes for option in ("--scope", scope)]
        host.run("toru", "token", "add", ADMIN, name, *wanted, check=False)
    for name, agents in BROWSERS.items():
        for agent in agents:
            body = json.dumps({"name": name, "password": PASSWORD})
            host.run("curl", "--silent", "--fail", "--user-agent", agent, "--json", body, f"{address}/api/auth/login")
