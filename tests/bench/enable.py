"""From the wish to the first answer."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.bench.driver import Ask, as_core, ask_http, ask_toru1, by_hand, first_answer, forget, hush, plant, run
from tests.bench.measure import Asked, Moments, Part, side_by_side
from toru.domain.ids import PluginId

TITLE = "Enable: from the wish to the first answer"

ADDRESS = "/run/peer.sock"


def measure(asked: Asked) -> Part:
    hush()
    web, old = PluginId("web"), PluginId("old")
    programs = {web: plant(web, "http.py", protocol="http"), old: plant(old, "toru1.py")}
    run("systemctl", "start", "toru-scan.service")

    def enabled(plugin_id: PluginId, ask: Ask, address: Path, name: str) -> Moments:
        run("systemctl", "start", plugin_id.disable_unit)
        began = time.perf_counter()
        with subprocess.Popen(["systemctl", "start", plugin_id.enable_unit]) as wish:
            with as_core():
                answered = first_answer(ask, str(address))
            if wish.wait() != 0:
                raise SystemExit(f"{plugin_id} was not enabled")
            returned = time.perf_counter()
        return {f"{name}: Toru": answered - began, f"{name}: Toru, systemctl returns": returned - began}

    def socket_by_systemd_run() -> Moments:
        options = ["--unit=peer", "--service-type=exec", f"--socket-property=ListenStream={ADDRESS}"]
        return {"http: systemd-run": _by_systemd_run(programs[web], ask_http, options)}

    def service_by_systemd_run() -> Moments:
        options = ["--unit=peer", "--service-type=exec", f"--setenv=TORU_PLUGIN_SOCKET={ADDRESS}"]
        return {"toru/1: systemd-run": _by_systemd_run(programs[old], ask_toru1, options)}

    def without_systemd(plugin_id: PluginId, ask: Ask, name: str) -> Moments:
        began = time.perf_counter()
        with by_hand(programs[plugin_id], ADDRESS, inherits=plugin_id == web):
            return {f"{name}: by hand": first_answer(ask, ADDRESS) - began}

    rows = side_by_side(
        asked.rounds,
        [
            lambda: enabled(web, ask_http, web.socket_path, "http"),
            socket_by_systemd_run,
            lambda: without_systemd(web, ask_http, "http"),
            lambda: enabled(old, ask_toru1, old.private_socket_path, "toru/1"),
            service_by_systemd_run,
            lambda: without_systemd(old, ask_toru1, "toru/1"),
        ],
        {
            f"{name}: {way}": f"{name}: {peer}"
            for name in ("http", "toru/1")
            for way, peer in (
                ("Toru", "systemd-run"),
                ("Toru, systemctl returns", "systemd-run"),
                ("systemd-run", "by hand"),
            )
        },
    )
    notes = [
        "Toru: `systemctl start toru-enable@ID` of an eager plugin, and the first answer to user toru, as the core is.",
        "systemd-run: the same program in a transient socket and service (toru/1: a service), unsandboxed, as root.",
        "by hand: the program alone, on an inherited socket (toru/1: on its own). Most of that is Python's start.",
    ]
    return Part(sorted(rows, key=lambda row: row.what.partition(":")[0]), notes)


def _by_systemd_run(program: Path, ask: Ask, options: list[str]) -> float:
    began = time.perf_counter()
    with subprocess.Popen(["systemd-run", "--quiet", *options, str(program)]):
        answered = first_answer(ask, ADDRESS)
    forget("peer.socket", "peer.service")
    Path(ADDRESS).unlink(missing_ok=True)
    return answered - began


STEPS = (measure,)
