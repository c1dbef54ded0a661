"""The webhook, and the rehearsal that tries it and every other hook."""

from __future__ import annotations

import base64
import json

import pytest

from tests.hosts.host import Host
from tests.system.hooks import HOOKS, URL, Hooks, kill
from tests.system.test_events import exits
from tests.system.toru import Toru

pytestmark = pytest.mark.req("OBS-5")


# The webhook.


def test_a_webhook_gets_the_event_as_json(toru: Toru, host: Host, hooks: Hooks) -> None:
    toru.plant("clock")
    toru.scan()
    with toru.core_down(), hooks.receiver(204, path="/hook/s3cret?a=b") as requests:
        kill(host, "clock")
        request = next(requests)
        said = json.loads(request["body"])
        unit = f"toru-webhook@{said['key']}.service"
        told = "told the webhook at 127.0.0.1"
        toru.wait_until("its end", lambda: told in [entry["MESSAGE"] for entry in hooks.of_unit(unit)])
    (run,) = exits(toru, "clock")
    assert request["path"] == "/hook/s3cret?a=b"
    assert request["headers"]["Content-Type"] == "application/json"
    assert (said["plugin_id"], said["event_type"], said["invocation_id"]) == ("clock", "crashed", run)
    assert said["cause"] == "it was killed by SIGKILL"
    assert request["headers"]["Idempotency-Key"] == f'"{said["key"]}"'


def test_a_name_and_a_password_in_the_address_are_for_the_header(toru: Toru, hooks: Hooks) -> None:
    toru.plant("clock")
    toru.scan()
    with hooks.receiver(200, user="me:p%40ss@") as requests:
        toru.disable("clock")
        request = next(requests)
    assert request["headers"]["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert "@" not in request["headers"]["Host"]


@pytest.mark.parametrize(
    ("answers", "tries", "outcome"),
    [
        ([500, 429, 200], 3, "told the webhook at 127.0.0.1"),
        ([404], 1, "the webhook at 127.0.0.1 was not told, after 1 try: it answered 404"),
        (
            [302],
            1,
            "the webhook at 127.0.0.1 was not told, after 1 try: it answered 302, and redirects are not followed",
        ),
    ],
    ids=["in the end", "refused", "moved"],
)
def test_what_may_pass_is_tried_again_and_what_will_not_is_not(
    toru: Toru, hooks: Hooks, answers: list[int], tries: int, outcome: str
) -> None:
    toru.plant("clock")
    toru.scan()
    with hooks.receiver(*answers) as requests:
        toru.disable("clock")
        said = [next(requests) for _ in range(tries)]

        def outcomes() -> list[str]:
            return [entry["MESSAGE"] for entry in hooks.of_unit("toru-webhook@*") if outcome in entry["MESSAGE"]]

        toru.wait_until("the end of it", outcomes, 30)
        toru.enable("clock")
        toru.disable("clock")
        said.append(next(requests))
    keys = [json.loads(request["body"])["key"] for request in said]
    assert len({*keys[:tries]}) == 1
    assert keys[tries] != keys[0], "no try of the first came after its end"
    assert {request["path"] for request in said} == {"/hook"}


def test_a_webhook_that_is_not_there_is_said_in_one_line(toru: Toru, hooks: Hooks) -> None:
    hooks.drop()
    hooks.address("http://127.0.0.1:1/s3cret\n")
    toru.plant("clock")
    toru.scan()
    toru.disable("clock")
    hooks.until_told("clock", "disabled")

    def complaints() -> list[dict[str, str]]:
        return [entry for entry in hooks.of_unit("toru-webhook@*") if "was not told" in entry["MESSAGE"]]

    toru.wait_until("the complaint", complaints, 30)
    (complaint,) = complaints()
    assert "after 3 tries: it can't be reached" in complaint["MESSAGE"]
    assert complaint["PRIORITY"] == "3"
    everything = json.dumps([*toru.journal("_PID=1"), *hooks.of_unit("toru-webhook@*"), *hooks.said()])
    assert "s3cret" not in everything


NO_ADDRESS = [
    ("ftp://example.com/s3cret", 0o600, "must be an address that begins with http:// or https://"),
    ("", 0o600, "must be an address that begins with http:// or https://"),
    ("http://example.com/\nhttp://s3cret", 0o600, "must be one address"),
    ("http://127.0.0.1:1/s3cret", 0o644, "others than root may read it, and the address may be a secret"),
    ("http://127.0.0.1:1/s3cret", 0o602, "others than root may write to /etc/toru/webhook-url"),
]


@pytest.mark.req("SEC-5")
def test_an_address_that_is_none_is_said_in_one_line_and_not_used(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    for text, mode, reason in NO_ADDRESS:
        host.put(URL, text, mode)
        rehearsed = host.run("toru-admin", "hooks", "--rehearse", check=False)
        assert rehearsed.returncode == 1
        assert reason in rehearsed.stderr
        assert "s3cret" not in rehearsed.stderr
    hooks.counted_in()
    toru.plant("clock")
    toru.scan()
    toru.disable("clock")
    hooks.until_told("clock", "disabled")
    (line,) = [line for line in hooks.said(last_run=True) if "is no hook" in line]
    assert reason in line
    assert hooks.of_unit("toru-webhook@*") == []


@pytest.mark.req("SEC-4")
def test_nobody_learns_the_address_from_the_unit(toru: Toru, host: Host, hooks: Hooks) -> None:
    toru.plant("clock")
    toru.scan()
    with hooks.receiver(503, path="/s3cret") as requests:
        toru.disable("clock")
        key = json.loads(next(requests)["body"])["key"]
        unit = f"toru-webhook@{key}.service"  # waits for its second try
        assert host.show(unit, "ActiveState", "DynamicUser") == {"ActiveState": "active", "DynamicUser": "yes"}
        shown = host.run("systemctl", "show", unit, user="nobody").stdout
        file = host.run("cat", f"/run/systemd/transient/{unit}", user="nobody").stdout
        assert "s3cret" not in shown + file
        assert "[Service]" in file
        lines = host.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout.splitlines()
    exposure = float(next(line for line in lines if "Overall exposure" in line).split(":")[1].split()[0])
    assert exposure <= 1.5


# A rehearsal.


def test_a_rehearsal_tells_every_hook_and_says_how_it_went(toru: Toru, host: Host, hooks: Hooks) -> None:
    hooks.drop()
    with hooks.receiver(200) as requests:
        done = host.run("toru-admin", "hooks", "--rehearse")
        assert json.loads(next(requests)["body"])["plugin_id"] == "rehearsal"
    assert done.stdout == (
        "told witness, the webhook: rehearsal crashed: this is a rehearsal, and nothing has happened\n"
    )
    assert hooks.kinds("rehearsal") == ["crashed"], "it is done when the command has ended"


def test_a_rehearsal_finds_what_is_wrong(hooks: Hooks, host: Host) -> None:
    host.put(f"{HOOKS}/bad", "#!/bin/sh\nexit 1\n", 0o755)
    host.put(f"{HOOKS}/plain", "words", 0o644)
    hooks.drop()
    done = host.run("toru-admin", "hooks", "--rehearse", check=False)
    assert done.returncode == 1
    assert (
        "/etc/toru/hooks.d/plain: it is not executable: chmod 755; bad: it exited with status 1 (journalctl"
        in done.stderr
    )
    assert hooks.kinds("rehearsal") == ["crashed"]
