"""The first request to a plugin that sleeps."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tests.bench.driver import ask_http, by_hand, first_answer, forget, hush, plant, property_of, run
from tests.bench.measure import Asked, Moments, Part, side_by_side, took
from toru.admin.scan import read_catalogue
from toru.domain.ids import PluginId
from toru.domain.policy import Policy
from toru.domain.units import UnitSpec, units_for
from toru.systemd import transient

TITLE = "Cold start: the first request to a sleeping plugin"

UNITS = Path("/run/systemd/system")
DROP_INS = Path("/usr/lib/systemd/system/toru-plugin-.service.d")


def measure(asked: Asked) -> Part:
    hush()
    sleeper = PluginId("sleeper")
    program = plant(sleeper, "http.py", protocol="http", start="on-demand")
    run("systemctl", "start", "toru-scan.service")
    if (state := property_of(sleeper.service, "ActiveState")) != "inactive":
        raise SystemExit(f"{sleeper} should sleep, and is {state}")
    # Both of them are Toru's units of that plugin by another name, so that the drop-ins don't reach them.
    told, bare = _peer(sleeper, "told", ["20-messages.conf"]), _peer(sleeper, "bare", [])

    def first_request(address: str, service: str, name: str) -> Moments:
        run("systemctl", "stop", service)
        # Each start counts against the ten that a plugin has.
        run("systemctl", "reset-failed", service)
        return {name: took(lambda: ask_http(address))}

    def without_systemd() -> Moments:
        began = time.perf_counter()
        with by_hand(program, "/run/peer.sock", inherits=True):
            return {"by hand": first_answer(ask_http, "/run/peer.sock") - began}

    rows = side_by_side(
        asked.rounds * 2,
        [
            lambda: first_request(str(sleeper.socket_path), sleeper.service, "Toru"),
            lambda: first_request(f"/run/{told}.sock", f"{told}.service", "without 10-sandbox.conf"),
            lambda: first_request(f"/run/{bare}.sock", f"{bare}.service", "without any drop-in"),
            without_systemd,
        ],
        {
            "Toru": "without 10-sandbox.conf",
            "without 10-sandbox.conf": "without any drop-in",
            "without any drop-in": "by hand",
        },
    )
    forget(*(f"{name}.{kind}" for name in (told, bare) for kind in ("socket", "service")))
    notes = [
        "The same Python program and the same unit each time; by hand it is started alone, on an inherited socket."
    ]
    return Part(rows, notes)


def _peer(plugin_id: PluginId, name: str, drop_ins: list[str]) -> str:
    """The plugin's two units under another name, with only these of the drop-ins that plugins have."""
    name = f"peer-{name}"
    directory = UNITS / f"{name}.service.d"
    directory.mkdir(parents=True)
    for drop_in in drop_ins:
        (directory / drop_in).symlink_to(DROP_INS / drop_in)
    with transient.connect() as systemd:
        plugin = read_catalogue().plugin(plugin_id)
        socket, service = units_for(plugin, Policy(), systemd.version, "bench")
        own = {f"{kind}Directory": [name] for kind in ("State", "Cache", "Logs", "Runtime")}
        listening = UnitSpec(
            f"{name}.socket", {**socket.properties, "Listen": [("Stream", f"/run/{name}.sock")], "OnFailure": []}
        )
        serving = replace(service, name=f"{name}.service", properties={**service.properties, **own})
        ending = systemd.wait(systemd.create(listening, serving), 5)
    if ending != "done":
        raise SystemExit(f"{name} was not made: {ending}")
    return name


STEPS = (measure,)
