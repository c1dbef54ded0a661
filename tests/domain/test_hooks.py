"""What hooks are told, how much of it, and which files and addresses may be hooks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from toru.domain.events import Event, EventKind
from toru.domain.hooks import _WORDS, WEBHOOK, Hook, Notice, name_fault, unit_for, webhook_address
from toru.domain.ids import PluginId
from toru.domain.policy import HooksPolicy
from toru.domain.rationing import SECONDS_TO_TELL, Rationing
from toru.systemd import wire
from toru.web.events import EventRow

pytestmark = pytest.mark.req("OBS-5")

CLOCK, OTHER = PluginId("clock"), PluginId("other")
RUN = "7cc8ef40418f454ea9af9a86e3e077f6"

CRASH = Event(
    plugin_id=CLOCK,
    kind=EventKind.CRASHED,
    at=1_767_225_600.25,
    cause="it was killed by SIGKILL",
    details={"invocation_id": RUN, "result": "signal", "signal": 9},
    cursor="s=1",
)
NOTICE = Notice(event=CRASH, invocation_id=RUN, host="f" * 32, hostname="web1", left_out=2)


def test_the_document_says_what_happened() -> None:
    assert json.loads(NOTICE.as_json()) == {
        "plugin_id": "clock",
        "event_type": "crashed",
        "timestamp": "2026-01-01T00:00:00.250000+00:00",
        "cause": "it was killed by SIGKILL",
        "details": {"invocation_id": RUN, "result": "signal", "signal": 9},
        "host": "f" * 32,
        "hostname": "web1",
        "invocation_id": RUN,
        "left_out": 2,
        "key": "f1c25984f5cc191d",
        "text": "clock crashed: it was killed by SIGKILL (2 more before this)",
    }


def test_it_has_all_that_the_api_shows_of_an_event() -> None:
    assert set(EventRow.model_fields) - set(NOTICE.document) == {"id"}


def test_the_environment_says_it_too() -> None:
    assert NOTICE.environment == {
        "TORU_EVENT": "crashed",
        "TORU_PLUGIN": "clock",
        "TORU_CAUSE": "it was killed by SIGKILL",
        "TORU_AT": "2026-01-01T00:00:00.250000+00:00",
        "TORU_INVOCATION_ID": RUN,
        "TORU_LEFT_OUT": "2",
        "TORU_KEY": "f1c25984f5cc191d",
        "TORU_TEXT": "clock crashed: it was killed by SIGKILL (2 more before this)",
    }


def test_what_there_is_nothing_to_say_of_is_empty() -> None:
    bare = Notice(event=replace(CRASH, cause=None, details={}), invocation_id="", host="", hostname="")
    assert (bare.environment["TORU_CAUSE"], bare.environment["TORU_INVOCATION_ID"]) == ("", "")
    assert (bare.document["cause"], bare.document["invocation_id"], bare.text) == (None, None, "clock crashed")


def test_an_event_keeps_its_key() -> None:
    again = replace(NOTICE, left_out=0, hostname="web2")
    assert again.key == NOTICE.key != replace(NOTICE, event=replace(CRASH, cursor="s=2")).key


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("evil", ["\n", "\r", "\0", "\x1b[2J", "\u2028", "\u202e", "\ud800", "\x9b"])
def test_nothing_in_a_cause_begins_a_second_line(evil: str) -> None:
    cause = f"it{evil}TORU_PLUGIN=other"
    odd = replace(NOTICE, event=replace(CRASH, cause=cause))
    unit = unit_for(Hook("mail", Path("/etc/toru/hooks.d/mail")), odd, 5)
    for said in (*odd.environment.values(), odd.text, unit.properties["Description"]):
        assert str(said).isprintable()
    assert odd.as_json().count(b"\n") == 1
    assert json.loads(odd.as_json())["cause"] == cause


def test_every_kind_of_event_has_words() -> None:
    assert set(_WORDS) == set(EventKind)


# Units.


def test_an_executable_runs_once_in_a_unit_of_its_own() -> None:
    unit = unit_for(Hook("mail.sh", Path("/etc/toru/hooks.d/mail.sh")), NOTICE, 5)
    assert unit.name == "toru-hook-mail.sh@f1c25984f5cc191d.service"
    assert unit.properties == {
        "Description": "Toru tells mail.sh: clock crashed: it was killed by SIGKILL (2 more before this)",
        "Type": "exec",
        "ExecStart": [("/etc/toru/hooks.d/mail.sh", ["/etc/toru/hooks.d/mail.sh"], False)],
        "Environment": [f"{name}={value}" for name, value in NOTICE.environment.items()],
        "StandardInputFileDescriptor": 5,
        "StandardOutput": "journal",
        "StandardError": "journal",
        "DynamicUser": True,
        "Slice": "toru-hooks.slice",
        "SyslogIdentifier": "toru-hook-mail.sh",
        "LogExtraFields": ["TORU_PLUGIN=clock", "TORU_NOTICE=f1c25984f5cc191d"],
        "RuntimeMaxUSec": 60_000_000,
        "TimeoutStopUSec": 5_000_000,
        "CollectMode": "inactive-or-failed",
    }


def test_the_webhook_is_sent_by_toru_itself_and_has_its_address_in_confidence() -> None:
    unit = unit_for(WEBHOOK, NOTICE, 5)
    assert unit.name == "toru-webhook@f1c25984f5cc191d.service"
    assert unit.properties["ExecStart"] == [("/usr/bin/toru-admin", ["/usr/bin/toru-admin", "webhook"], False)]
    assert unit.properties["LoadCredential"] == [("webhook-url", "/etc/toru/webhook-url")]
    assert unit.properties["DynamicUser"] is True


@pytest.mark.parametrize("hook", [WEBHOOK, Hook("mail", Path("/etc/toru/hooks.d/mail"))])
def test_systemd_can_be_told_every_property(hook: Hook) -> None:
    assert {name for name, _signature, _value in wire.signed(unit_for(hook, NOTICE, 5))} >= {"DynamicUser", "Slice"}


# Names and addresses.


@pytest.mark.parametrize("name", ["mail", "10-mail", "notify_slack.sh", "a", "A.b-c_d.py", "x" * 64])
def test_a_name_that_a_hook_may_have(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    "name",
    [
        "",
        ".hidden",
        "mail~",
        "mail-",
        "-x",
        "a b",
        "a@b",
        "a/b",
        "a\\x2db",
        "ä",
        "mail\n",
        "%n",
        "$HOME",
        "x" * 65,
        "a\0b",
    ],
)
def test_a_name_that_none_may_have(name: str) -> None:
    assert str(name_fault(name)).startswith("its name may have")


@pytest.mark.parametrize(
    "name", ["mail.bak", "mail.dpkg-old", "mail.dpkg-dist", "mail.ucf-new", ".mail.swp", "mail.sh.orig"]
)
def test_copies_that_were_left_behind_are_no_hooks(name: str) -> None:
    assert name_fault(name) is not None


@pytest.mark.parametrize(
    ("text", "hostname"),
    [
        ("https://example.com/hook/a?b=c\n", "example.com"),
        ("http://127.0.0.1:8080/", "127.0.0.1"),
        ("  https://user:secret@example.com  ", "example.com"),
        ("http://[::1]:80/x", "::1"),
    ],
)
def test_an_address_that_can_be_told(text: str, hostname: str) -> None:
    assert webhook_address(text).hostname == hostname


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "\n",
            "example.com/secret",
            "ftp://example.com/secret",
            "file:///etc/secret",
            "https://",
            "https:///secret",
        ),
        *("http://example.com/a b/secret", "http://example.com/\nhttp://secret", "http://exämple.com/secret"),
        *(
            "http://example.com:x/secret",
            "http://example.com:99999/secret",
            "http://example.com:0/secret",
            "http://[::1/secret",
        ),
        "http://example.com/secret\x1b[2J",
    ],
)
def test_an_address_that_cannot_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="must be") as refusal:
        webhook_address(text)
    assert "secret" not in str(refusal.value)


# How much is told.


class Story:
    """What becomes of events that come one after the other."""

    def __init__(self, **policy: float) -> None:
        self.rationing = Rationing(HooksPolicy(**policy))  # type: ignore[arg-type]  # int or float, as it may be

    def told(self, *ats: float, kind: EventKind = EventKind.CRASHED, plugin_id: PluginId = CLOCK) -> list[bool]:
        events = [replace(CRASH, at=at, kind=kind, plugin_id=plugin_id) for at in ats]
        return [self.rationing.admits(event, now=event.at) for event in events]


def test_the_first_are_told_at_once_and_then_one_in_so_many_seconds() -> None:
    story = Story(burst=3, interval=60)
    assert story.told(0, 0, 1, 2, 3) == [True, True, True, False, False]
    assert story.told(59, 60, 61, 119, 120) == [False, True, False, False, True]


def test_after_a_quiet_while_it_begins_anew() -> None:
    story = Story(burst=2, interval=60)
    assert story.told(0, 0, 0, 10_000, 10_000, 10_000) == [True, True, False, True, True, False]


def test_a_crash_loop_keeps_back_neither_the_end_of_it_nor_another_plugin() -> None:
    story = Story(burst=1, interval=60)
    assert story.told(0, 1) == [True, False]
    assert story.told(2, kind=EventKind.DISABLED) == [True]
    assert story.told(2, plugin_id=OTHER) == [True]


def test_what_was_left_out_is_counted_until_it_is_mentioned() -> None:
    story = Story(burst=1, interval=60)
    story.told(0, 1, 2)
    story.told(0, 1, plugin_id=OTHER)
    assert (story.rationing.left_out(CLOCK), story.rationing.left_out(OTHER)) == (2, 1)
    story.rationing.mentioned(CLOCK)
    assert (story.rationing.left_out(CLOCK), story.rationing.left_out(OTHER)) == (0, 1)


def test_a_clock_that_is_set_back_stops_nothing_for_long() -> None:
    story = Story(burst=1, interval=60)
    assert story.told(10_000, 0, 60) == [True, False, True]


def test_what_is_older_than_a_day_is_no_news() -> None:
    rationing = Rationing(HooksPolicy(burst=1))
    assert not rationing.admits(CRASH, now=CRASH.at + SECONDS_TO_TELL + 1)
    assert rationing.left_out(CLOCK) == 1
    assert rationing.admits(CRASH, now=CRASH.at + SECONDS_TO_TELL - 1)
