"""Plugins on the SDK under Toru, on a real systemd."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.hosts.host import Host
from tests.sdk.python.planting import Planted
from tests.system.api import Api
from tests.system.crowd import Order, ask, asking
from tests.system.toru import Toru

pytestmark = pytest.mark.req("LANG-1")

ABOUT = """
@plugin.get("/")
async def about(request):
    return {"pid": os.getpid(), "user": request.user, "instance": plugin.host.instance_id}
"""
MIB = 1 << 20


def pid(host: Host, plugin_id: str) -> int:
    (reply,) = ask(host, Order(f"/{plugin_id}/"))
    assert reply.status == 200, reply.body
    return int(reply.json()["pid"])


@pytest.mark.req("ISO-1", "PROTO-4", "ROUTE-1", "ROUTE-3")
def test_a_plugin_of_ten_lines_serves(toru: Toru, host: Host, planted: Planted) -> None:
    planted("ten", ABOUT)
    (reply,) = ask(host, Order("/ten/"))
    assert reply.json() == {
        "pid": toru.pid("ten"), "user": "root", "instance": host.read("/var/lib/toru/instance-id").strip()
    }  # fmt: skip
    assert toru.service("ten", "Type", "ActiveState") == {"Type": "notify", "ActiveState": "active"}
    assert ask(host, Order("/ten/nowhere"))[0].status == 404


@pytest.mark.req("PROTO-4")
def test_large_bodies_stream_both_ways_and_the_plugin_holds_little_of_them(
    toru: Toru, host: Host, planted: Planted
) -> None:
    planted("big", """
    @plugin.post("/hash")
    def count(request):
        import hashlib
        digest = hashlib.sha256()
        for part in request.stream():
            digest.update(part)
        return digest.hexdigest()

    @plugin.get("/bytes/{count:int}")
    async def pour(request, count):
        for _ in range(count):
            yield bytes(range(256)) * 4096
    """)  # fmt: skip
    size = 64
    pattern = hashlib.sha256(bytes(range(256)) * 4096 * size).hexdigest()
    up, down = ask(host, Order("/big/hash", "POST", length=size * MIB), Order(f"/big/bytes/{size}"))
    assert up.body.decode() == pattern
    assert (down.length, down.hash) == (size * MIB, pattern)
    status = host.read(f"/proc/{toru.pid('big')}/status").splitlines()
    most = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(f"the plugin held {most / 1024:.1f} MiB at most")
    assert most < 48 * 1024


@pytest.mark.req("ISO-2", "SUP-2")
def test_a_plugin_that_is_killed_is_back(toru: Toru, host: Host, planted: Planted) -> None:
    planted("killed", ABOUT)
    first = pid(host, "killed")
    host.run("kill", "-KILL", str(first))
    toru.wait_until("the next process", lambda: toru.pid("killed") not in {0, first})
    toru.until_shown("killed", state="running")
    assert pid(host, "killed") == toru.pid("killed")


@pytest.mark.req("SUP-6")
def test_a_plugin_that_hangs_is_restarted_by_the_watchdog(toru: Toru, host: Host, planted: Planted) -> None:
    planted("hangs", ABOUT + """
@plugin.get("/hang")
async def hang(request):
    time.sleep(3600)
""", watchdog=4)  # fmt: skip
    first = pid(host, "hangs")
    assert toru.service("hangs", "WatchdogUSec")["WatchdogUSec"] == "4s"
    (reply,) = ask(host, Order("/hangs/hang"))
    assert reply.status == 502
    toru.wait_until("the next process", lambda: toru.pid("hangs") not in {0, first})
    toru.until_shown("hangs", state="running")
    assert pid(host, "hangs") == toru.pid("hangs")
    said = [it["MESSAGE"] for it in toru.journal("UNIT=toru-plugin-hangs.service", "_PID=1")]
    assert any("Watchdog timeout" in line for line in said)


@pytest.mark.req("SUP-6")
def test_a_plugin_that_is_busy_in_threads_is_alive_to_the_watchdog(toru: Toru, host: Host, planted: Planted) -> None:
    planted("busy", ABOUT + """
@plugin.get("/busy")
def busy(request):
    time.sleep(9)
    return os.getpid()
""", watchdog=4)  # fmt: skip
    first = pid(host, "busy")
    assert ask(host, Order("/busy/busy"))[0].json() == first


@pytest.mark.req("SUP-1", "SUP-5")
def test_a_plugin_without_requests_sleeps_and_the_next_one_wakes_it(toru: Toru, host: Host, planted: Planted) -> None:
    def is_asleep() -> bool:
        return toru.service("sleeper", "ActiveState")["ActiveState"] == "inactive"

    planted("sleeper", ABOUT, start="on-demand", idle_timeout=1)
    assert is_asleep()
    for _ in range(3):
        before = len(toru.starts("sleeper"))
        assert pid(host, "sleeper") > 0
        assert len(toru.starts("sleeper")) > before
        toru.wait_until("it to sleep", is_asleep)
    assert toru.ends("sleeper") == [], "it ended well each time"
    assert toru.plugin("sleeper")["health"] == "healthy"


@pytest.mark.req("SUP-1")
def test_a_long_answer_keeps_a_plugin_awake(toru: Toru, host: Host, planted: Planted) -> None:
    planted("awake", """
    @plugin.get("/")
    async def slow(request):
        for _ in range(10):
            yield "."
            await asyncio.sleep(0.1)
    """, idle_timeout=0.3)  # fmt: skip
    assert ask(host, Order("/awake/"))[0].body == b"." * 10


@pytest.mark.req("LIFE-2", "LIFE-6", "PROTO-3")
def test_restarts_under_load_lose_no_request(toru: Toru, host: Host, planted: Planted) -> None:
    planted("steady", """
    @plugin.post("/")
    async def slow(request):
        await request.body()
        await asyncio.sleep(0.02)
        print("answered", flush=True)
        return {"pid": os.getpid()}
    """)  # fmt: skip
    with asking(host, Order("/steady/", "POST", b"x" * 1000), crowd=5) as replies:
        for number in range(3):
            toru.wait_until("requests", lambda so_far=number * 20: len(toru.logged("steady")) > so_far)
            host.run("systemctl", "restart", "toru-plugin-steady.service")
        toru.wait_until("requests", lambda: len(toru.logged("steady")) > 60)
    assert {reply.status for reply in replies} == {200}, [it.body for it in replies if it.status != 200]
    assert len({reply.json()["pid"] for reply in replies}) >= 3
    assert toru.logged("steady").count("answered") == len(replies), "each was answered once"
    assert toru.ends("steady") == []


@pytest.mark.req("LIFE-2")
def test_a_stop_waits_for_the_answers_under_way_and_then_for_the_authors_own_end(
    toru: Toru, host: Host, planted: Planted
) -> None:
    planted("ending", """
    @plugin.get("/")
    def slow(request):
        print("asked", flush=True)
        time.sleep(1)
        return {"pid": os.getpid()}

    @plugin.on_stop
    async def end():
        plugin.log.warning("the end")
    """)  # fmt: skip
    first = toru.pid("ending")
    with asking(host, Order("/ending/"), crowd=1) as replies:
        toru.wait_until("the request to be with the plugin", lambda: "asked" in toru.logged("ending"))
        host.run("systemctl", "restart", "toru-plugin-ending.service")
    assert replies[0].json()["pid"] == first
    assert "the end" in toru.logged("ending")
    assert toru.ends("ending") == []


def test_a_plugin_that_can_not_start_says_why(toru: Toru, planted: Planted) -> None:
    planted("early", """
    @plugin.on_start
    def first():
        raise RuntimeError("no such disk")
    """)  # fmt: skip
    toru.wait_until("it to fail", lambda: toru.ends("early"))
    said = [json.loads(line) for line in toru.logged("early") if line.startswith("{")]
    assert said[0]["message"] == "the plugin can't start"
    assert "no such disk" in said[0]["exception"]


def test_a_plugin_that_loses_a_part_of_itself_is_started_again(toru: Toru, planted: Planted) -> None:
    planted("parted", """
    @plugin.background
    async def work():
        print("working", flush=True)
        await asyncio.sleep(0.3)
        raise RuntimeError("lost")
    """)  # fmt: skip
    toru.wait_until("the second try", lambda: toru.logged("parted").count("working") >= 2)


# What it finds.


@pytest.mark.req("KV-1", "KV-2", "KV-3", "KV-4")
@pytest.mark.parametrize("kind", ["async", "plain"])
def test_a_plugin_keeps_things_in_its_own_storage(toru: Toru, host: Host, planted: Planted, kind: str) -> None:
    keeps = {
        "plain": """
    @plugin.get("/")
    def keep(request):
        kv = plugin.kv
        kv.set("a:1", {"x": [1, None]})
        kv.set("a:2", "two", ttl=3600)
        kv.set("b", 1)
        kv.delete("b")
        try:
            kv.set("large", "x" * (1 << 21))
        except KvTooLarge as error:
            large = error.status
        return {"get": kv.get("a:1"), "none": kv.get("b", "no"), "items": [it.key for it in kv.items("a:")],
                "expires": kv.page(prefix="a:2").entries[0].expires_at, "large": large}
    """,
        "async": """
    @plugin.get("/")
    async def keep(request):
        kv = plugin.async_kv
        await kv.set("a:1", {"x": [1, None]})
        await kv.set("a:2", "two", ttl=3600)
        await kv.set("b", 1)
        await kv.delete("b")
        try:
            await kv.set("large", "x" * (1 << 21))
        except KvTooLarge as error:
            large = error.status
        page = await kv.page(prefix="a:2")
        return {"get": await kv.get("a:1"), "none": await kv.get("b", "no"),
                "items": [it.key for it in await kv.items("a:")], "expires": page.entries[0].expires_at, "large": large}
    """,
    }
    planted("keeper", keeps[kind])
    said = ask(host, Order("/keeper/"))[0].json()
    assert said.pop("expires") > 1_700_000_000
    assert said == {"get": {"x": [1, None]}, "none": "no", "items": ["a:1", "a:2"], "large": 413}
    kept = json.loads(host.run("toru", "kv", "list", "--json", "keeper").stdout)["entries"]
    assert [(entry["key"], entry["value"]) for entry in kept] == [("a:1", {"x": [1, None]}), ("a:2", "two")]
    for key in ("a:1", "a:2"):
        host.run("toru", "kv", "delete", "keeper", key)


@pytest.mark.req("KV-2", "ISO-5")
def test_another_plugins_storage_is_closed_and_an_absent_core_is_no_crash(
    toru: Toru, host: Host, planted: Planted
) -> None:
    planted("thief", """
    from toru_plugin.kv import KvInToru
    from toru_plugin.host import Host
    @plugin.background
    async def steal():
        try:
            await asyncio.to_thread(KvInToru(Host("other")).get, "a")
        except KvError as error:
            print(f"refused with {error.status} {error.code}", flush=True)
        while not os.path.exists(os.path.join(os.environ["STATE_DIRECTORY"], "go")):
            await asyncio.sleep(0.05)
        try:
            await plugin.async_kv.get("a")
        except KvUnavailable as error:
            print(f"unavailable: {error}", flush=True)
    """)  # fmt: skip
    toru.wait_until("the refusal", lambda: "refused with 403 forbidden" in toru.logged("thief"))
    with toru.core_down():
        host.run("touch", "/var/lib/toru-plugins/thief/go")
        toru.wait_until("it to notice", lambda: any("unavailable" in line for line in toru.logged("thief")))


@pytest.mark.req("OBS-1")
def test_what_a_plugin_logs_is_in_the_journal_and_in_the_api_with_its_levels(
    toru: Toru, host: Host, planted: Planted
) -> None:
    planted("writer", """
    @plugin.get("/")
    async def write(request):
        print("plain")
        plugin.log.warning("warned")
        plugin.log.error("no room on %s", "/dev/sda", extra={"left_bytes": 3})
        plugin.log.info("two\\nlines")
        try:
            raise RuntimeError("boom")
        except RuntimeError:
            plugin.log.exception("it failed")
    """)  # fmt: skip
    assert ask(host, Order("/writer/"))[0].status == 204
    toru.wait_until("the last line", lambda: any("it failed" in line for line in toru.logged("writer")))
    entries = toru.journal("_SYSTEMD_UNIT=toru-plugin-writer.service")
    assert [entry["PRIORITY"] for entry in entries] == ["6", "4", "3", "6", "3"], "an entry each"
    lines = list(reversed(Api(host).get("/api/plugins/writer/logs?page_size=50")["logs"]))
    said = [(it["level"], it["message"]) for it in lines if it["source"] == "plugin"]
    assert said == [
        ("info", "plain"), ("warning", "warned"), ("err", "no room on /dev/sda"), ("info", "two\nlines"),
        ("err", "it failed"),
    ]  # fmt: skip
    fields = next(it["fields"] for it in lines if it["message"] == "no room on /dev/sda")
    assert fields["left_bytes"] == 3


@pytest.mark.req("SEC-4")
def test_secrets_and_settings_reach_a_plugin_as_credentials(toru: Toru, host: Host, planted: Planted) -> None:
    host.put("/etc/secret-of-mine", "s3cret\n", 0o600)
    host.put("/etc/config-of-mine", "depth = 3\n", 0o600)
    drop_in = "[Service]\nLoadCredential=smtp:/etc/secret-of-mine\nLoadCredential=config:/etc/config-of-mine\n"
    host.put("/etc/systemd/system/toru-plugin-secretive.service.d/override.conf", drop_in)
    host.run("systemctl", "daemon-reload")
    try:
        planted("secretive", """
    @plugin.get("/")
    def show(request):
        return {"secret": plugin.host.secret("smtp"), "config": plugin.host.config(),
                "state": str(plugin.host.state_directory)}
    """)  # fmt: skip
        said = ask(host, Order("/secretive/"))[0].json()
    finally:
        host.run("rm", "-f", "/etc/secret-of-mine", "/etc/config-of-mine")
    state = "/var/lib/toru-plugins/secretive"
    assert said == {"secret": "s3cret", "config": {"depth": 3}, "state": state}


@pytest.mark.req("UI-6")
def test_a_push_reaches_the_open_views(toru: Toru, host: Host, planted: Planted) -> None:
    with Api(host).stream("/api/stream") as stream:
        stream.first("hello")
        planted("pusher", """
    @plugin.get("/async")
    async def one(request):
        return plugin.push("tick", {"by": "loop"})

    @plugin.get("/plain")
    def two(request):
        return plugin.push("tick", {"by": "thread"})
    """)  # fmt: skip
        for by, path in (("loop", "async"), ("thread", "plain")):
            assert ask(host, Order(f"/pusher/{path}"))[0].json() is True
            assert stream.first("push", id="pusher").data["data"] == {"by": by}


# Older cores.


@pytest.mark.req("PROTO-1", "PROTO-2", "PROTO-3", "PROTO-6")
def test_the_same_program_speaks_toru_1_where_its_metadata_says_so(toru: Toru, host: Host, planted: Planted) -> None:
    planted("older", ABOUT + """
@plugin.post("/echo")
async def echo(request):
    async for part in request.stream():
        yield part

@plugin.get("/cookies")
async def cookies(request):
    return Response("x", headers={"set-cookie": ["a=1", "b=2"]})

@plugin.on_stop
def end():
    print("goodbye", flush=True)
""", protocol="toru/1")  # fmt: skip
    about = ask(host, Order("/older/"))[0].json()
    assert about == {
        "pid": toru.pid("older"), "user": "root", "instance": host.read("/var/lib/toru/instance-id").strip()
    }  # fmt: skip
    for body in (b"", "grüß dich".encode(), bytes(range(256)) * 200):
        assert ask(host, Order("/older/echo", "POST", body))[0].body == body
    reply = Api(host)("GET", "/api/plugins/route/older/cookies")
    assert reply.status == 200
    assert ask(host, Order("/older/nowhere"))[0].status == 404
    toru.disable("older")
    assert "goodbye" in toru.logged("older")
    assert toru.ends("older") == []
