"""Which files are plugins: the file everybody reads, and who wins where two claim the same."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from toru.domain.catalogue import FORMAT, Catalogue, Plugin, Rejection, catalogue_of
from toru.domain.errors import RejectedPlugin, UnknownPlugin
from toru.domain.ids import PluginId
from toru.domain.manifest import manifest_from

DIRECTORY = Path("/var/lib/toru/plugins")


def plugin(file: str, plugin_id: str, route: str | None = None, **said: Any) -> Plugin:
    manifest = manifest_from({"id": plugin_id, "name": f"The {plugin_id}", "route": route or f"/{plugin_id}", **said})
    return Plugin(manifest=manifest, path=DIRECTORY / file)


def catalogue(*plugins: Plugin, rejected: Iterable[Rejection] = (), before: Catalogue | None = None) -> Catalogue:
    return catalogue_of(plugins, rejected, before or Catalogue())


def files(of: Catalogue) -> list[str]:
    return [accepted.path.name for accepted in of.plugins]


def reasons(of: Catalogue) -> dict[str, str]:
    return {rejection.file: rejection.reason for rejection in of.rejected}


FULL = Catalogue(
    plugins=(
        plugin("clock.binary", "clock", icon="\U0001f552", description="Zeit\n\u00fcberall"),
        plugin("odd $HOME %n.binary", "-x-", "/other", protocol="http", limits={"cpu": 50}, watchdog=1.5),
    ),
    rejected=(
        Rejection(file="broken.binary", reason="printed something that is not JSON for --metadata"),
        Rejection(file="late.binary", reason="id clock already belongs to clock.binary", id=PluginId("clock")),
    ),
)


@pytest.mark.req("ISO-1", "UI-1")
@pytest.mark.parametrize("written", [Catalogue(), FULL], ids=["empty", "full"])
def test_what_is_written_is_what_is_read(written: Catalogue) -> None:
    assert Catalogue.parse(written.format()) == written


def test_what_utf_8_can_not_say_does_not_keep_the_others_from_being_written() -> None:
    odd = Catalogue(FULL.plugins, (Rejection(file="\udcff.binary", reason="said \ud800"),))
    assert Catalogue.parse(odd.format()) == odd


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(FULL.format()) | changes).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        changed(format=FORMAT + 1),
        changed(format=str(FORMAT)),
        changed(plugins=None),
        changed(plugins=[7]),
        changed(plugins=["text"]),
        changed(plugins=[{"id": "x", "name": "X", "route": "/x"}]),
        changed(plugins=[{"id": "../x", "name": "X", "route": "/x", "path": "/x"}]),
        changed(plugins=[{"id": "x", "name": "X", "route": "/x", "path": 7}]),
        changed(rejected=[{"file": "x"}]),
        changed(rejected=[{"file": "x", "reason": "r", "id": "../x"}]),
        changed(rejected=[{"file": "x", "reason": "r", "id": 7}]),
    ],
)
def test_anything_else_is_a_value_error_and_never_a_crash(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (what is wrong is nobody's business: it is written anew)
        Catalogue.parse(text)


@pytest.mark.req("API-1", "ISO-4")
def test_a_plugin_is_found_by_its_id_and_a_rejected_one_with_its_reason() -> None:
    of = catalogue(
        plugin("clock.binary", "clock"),
        rejected=[Rejection(file="r.binary", reason="it is not a file", id=PluginId("r"))],
    )
    assert of.plugin(PluginId("clock")).path.name == "clock.binary"
    with pytest.raises(RejectedPlugin, match=r"^r\.binary was rejected: it is not a file$"):
        of.plugin(PluginId("r"))
    with pytest.raises(UnknownPlugin, match=r"^there is no plugin nobody$"):
        of.plugin(PluginId("nobody"))


@pytest.mark.req("META-2")
@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (plugin("b.binary", "x", "/y"), "id x already belongs to a.binary"),
        (plugin("b.binary", "y", "/x"), "route /x already belongs to a.binary"),
        (plugin("b.binary", "x", "/x"), "id x and route /x already belong to a.binary"),
    ],
    ids=["id", "route", "both"],
)
def test_an_id_and_a_route_belong_to_one_plugin_and_among_newcomers_the_first_file_has_it(
    second: Plugin, reason: str
) -> None:
    of = catalogue(second, plugin("a.binary", "x"))
    assert files(of) == ["a.binary"]
    assert reasons(of) == {"b.binary": reason}


@pytest.mark.req("META-2", "ISO-4")
def test_a_plugin_that_lost_its_route_is_told_why_when_it_is_asked_for() -> None:
    of = catalogue(plugin("a.binary", "x"), plugin("b.binary", "y", "/x"))
    with pytest.raises(RejectedPlugin, match=r"route /x already belongs to a\.binary"):
        of.plugin(PluginId("y"))
    of = catalogue(plugin("a.binary", "x"), plugin("b.binary", "x", "/y"))
    assert of.plugin(PluginId("x")).path.name == "a.binary"


@pytest.mark.req("META-2", "ISO-2")
@pytest.mark.parametrize(
    "newcomer", [plugin("a.binary", "z"), plugin("a.binary", "a", "/z"), plugin("a.binary", "z", "/a")]
)
def test_a_newcomer_can_not_push_a_serving_plugin_aside(newcomer: Plugin) -> None:
    serving = plugin("z.binary", "z")
    of = catalogue(newcomer, serving, before=catalogue(serving))
    assert files(of) == ["z.binary"]
    assert list(reasons(of)) == ["a.binary"]


@pytest.mark.req("META-2", "ISO-2")
def test_an_upgrade_that_takes_another_plugins_route_can_not_push_it_aside() -> None:
    serving = plugin("z.binary", "z")
    of = catalogue(plugin("a.binary", "a", "/z"), serving, before=catalogue(plugin("a.binary", "a"), serving))
    assert files(of) == ["z.binary"]
    assert reasons(of) == {"a.binary": "route /z already belongs to z.binary"}


@pytest.mark.req("META-2", "LIFE-6")
def test_a_plugin_that_changes_its_route_keeps_its_id_before_a_newcomer() -> None:
    upgraded = plugin("z.binary", "z", "/new")
    of = catalogue(plugin("a.binary", "z", "/other"), upgraded, before=catalogue(plugin("z.binary", "z")))
    assert of.plugins == (upgraded,)


@pytest.mark.req("META-2")
def test_what_is_given_up_is_free_for_the_next() -> None:
    of = catalogue(plugin("b.binary", "x"), before=catalogue(plugin("a.binary", "x")))
    assert files(of) == ["b.binary"]


@pytest.mark.req("META-2")
def test_a_refused_file_takes_nothing_from_others() -> None:
    of = catalogue(plugin("a.binary", "x"), plugin("b.binary", "x", "/y"), plugin("c.binary", "y"))
    assert files(of) == ["a.binary", "c.binary"]
    assert list(reasons(of)) == ["b.binary"]


@pytest.mark.req("META-2")
def test_an_id_may_be_the_route_of_another() -> None:
    assert len(catalogue(plugin("a.binary", "x", "/y"), plugin("b.binary", "y", "/x")).plugins) == 2


def test_the_order_of_looking_makes_no_difference() -> None:
    first, second, third = plugin("a.binary", "c"), plugin("b.binary", "b"), plugin("c.binary", "a")
    out = Rejection(file="0.binary", reason="it is not a file")
    assert catalogue(first, second, third, rejected=[out]) == catalogue(third, first, second, rejected=[out])
    assert files(catalogue(first, second, third)) == ["c.binary", "b.binary", "a.binary"], "by id"
