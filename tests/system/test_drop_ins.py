"""What the core says of a drop-in that comes while a plugin runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

OVERRIDE = "/etc/systemd/system/toru-plugin-web.service.d/override.conf"


@pytest.fixture
def api(host: Host) -> Api:
    return Api(host)


def protect_proc(unit: dict[str, Any]) -> str:
    (value,) = [it["value"] for group in unit["groups"] for it in group["settings"] if it["name"] == "ProtectProc"]
    return str(value)


@pytest.mark.req("SEC-4")
def test_a_drop_in_that_is_newer_than_the_process_is_said_to_wait_for_the_next_start(toru: Toru, api: Api) -> None:
    unit = "toru-plugin-web.service"
    toru.host.run("mkdir", "-p", f"/etc/systemd/system/{unit}.d")
    toru.host.put(OVERRIDE, "[Service]\nProtectProc=invisible\n", 0o644)
    toru.plant("web")
    toru.scan()

    def service() -> dict[str, Any]:
        found: dict[str, Any] = api.get("/api/plugins/web/units")["service"]
        return found

    assert not any(it["newer_than_run"] for it in service()["drop_ins"])
    toru.host.put(OVERRIDE, "[Service]\nProtectProc=default\n", 0o644)
    # systemd hasn't read that yet, and so it isn't in force.
    assert toru.service("web", "NeedDaemonReload") == {"NeedDaemonReload": "yes"}
    assert (service()["needs_reload"], protect_proc(service())) == (True, "invisible")
    toru.host.run("systemctl", "daemon-reload")
    newer = {it["path"]: it["newer_than_run"] for it in service()["drop_ins"]}
    assert newer.pop(OVERRIDE)
    assert not any(newer.values())
    assert (service()["needs_reload"], protect_proc(service())) == (False, "default")
    toru.host.run("systemctl", "restart", unit)
    assert not any(it["newer_than_run"] for it in service()["drop_ins"])
    api.post("/api/plugins/web/disable")
    nothing = api.get("/api/plugins/web/units")
    assert nothing == {"id": "web", "service": None, "socket": None, "sandbox": None}
    assert not toru.is_loaded("web")
