"""The host's figures, live."""

import json
from pathlib import Path

import pytest

from tests.examples.stage import page_does, put_in_place
from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.crowd import Order, ask
from tests.system.toru import Toru

THREE_EVENTS = """
import http.client, socket
connection = http.client.HTTPConnection("toru")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect("/run/toru/api.sock")
connection.request("GET", "/api/plugins/route/dashboard/live")
answer = connection.getresponse()
for _ in range(6):
    print(answer.readline().decode(), end="")
"""


@pytest.fixture
def dashboard(toru: Toru, tmp_path: Path) -> Path:
    put_in_place(toru, "dashboard", tmp_path)
    return tmp_path


@pytest.mark.req("LANG-1", "SUP-1")
def test_its_figures_are_the_kernels_within_the_default_sandbox(toru: Toru, host: Host, dashboard: Path) -> None:
    assert toru.pid("dashboard") == 0, "it runs when somebody looks"
    said = Api(host).get("/api/plugins/route/dashboard/figures")
    kernels = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in host.read("/proc/meminfo").splitlines()}
    assert said["memory"]["total"] == kernels["MemTotal"]
    assert 0 < said["memory"]["used"] < said["memory"]["total"]
    assert said["processors"] == int(host.run("nproc").stdout)
    assert said["disk"]["total"] == int(host.run("df", "-B1", "--output=size", "/").stdout.split()[1])
    assert abs(said["uptime"] - float(host.read("/proc/uptime").split()[0])) < 60


@pytest.mark.req("LANG-1", "PROTO-4")
def test_figures_come_as_server_sent_events_until_nobody_looks(host: Host, dashboard: Path) -> None:
    lines = host.run("python3", "-c", THREE_EVENTS).stdout.splitlines()
    moments = [json.loads(line.removeprefix("data: "))["at"] for line in lines if line]
    assert len(moments) == 3
    assert moments == sorted(set(moments))
    assert ask(host, Order("/dashboard/figures"))[0].status == 200


@pytest.mark.req("LANG-1")
def test_its_page_draws_them_in_a_browser(host: Host, dashboard: Path) -> None:
    figures = Api(host).get("/api/plugins/route/dashboard/figures")

    def live(path: str) -> tuple[str, bytes] | None:
        events = [{**figures, "at": figures["at"] + second} for second in range(3)]
        body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
        return ("text/event-stream", body) if path == "/live" else None

    acts = """
        const points = () => (view.querySelector(".line").getAttribute("d") ?? "").split("L").length;
        await until(() => points() === 3);
        said.titles = [...view.querySelectorAll("h2")].map((it) => it.textContent);
        said.load = view.querySelector(".value span").textContent;"""
    said = page_does(host, "dashboard", dashboard, acts, live)
    assert said["titles"] == ["Load", "Memory", "Network, received", "Network, sent", "Disk"]
    assert said["load"] == f"{figures['load'][0]:.2f}"
