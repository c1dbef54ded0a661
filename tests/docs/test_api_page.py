"""docs/api.md names everything that there is: routes, fields, codes, and what the stream sends."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest

from tests.docs.pages import rows, section, spans, text_of
from tests.web.test_roles import MATRIX
from toru.core.wishing import Wish
from toru.domain.people import Scope
from toru.domain.state import Health, State
from toru.web import problems, stream
from toru.web.events import EventFilter
from toru.web.kv import ACTIONS
from toru.web.logs import WantedPage
from toru.web.plugins import PluginRow

PAGE = "docs/api.md"


def first_cells(heading: str) -> list[str]:
    return [span for row in rows(section(PAGE, heading)) for span in spans(row[0])]


@pytest.mark.req("API-7")
def test_every_route_is_in_the_table() -> None:
    shown = first_cells("Every route")
    assert sorted(shown) == sorted(route for route in MATRIX if not route.startswith("HEAD "))


@pytest.mark.req("API-7")
def test_every_code_is_in_the_table_beside_its_status() -> None:
    shown = {(int(row[0]), code) for row in rows(section(PAGE, "Errors")) for code in spans(row[1])}
    ours = {(status, error.code) for error, status in problems.STATUS.items()}
    # The others are said by what stands around the routes.
    ours |= {(status, code) for status, code in problems.CODES.items() if status != HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    ours |= {(400, "not-http"), (403, "cross-site"), (500, "fault")}
    assert shown == ours
    for code in ("cross-site", "fault"):
        assert f'"{code}"' in text_of("toru/web/edge.py")
    assert '"not-http"' in text_of("toru/web/peer.py")


@pytest.mark.req("API-1")
def test_every_field_of_a_plugin_is_in_the_table() -> None:
    assert sorted(first_cells("Plugins")) == sorted(PluginRow.model_fields)
    said = spans(section(PAGE, "Plugins"))
    assert {*State, *Health} - set(said) == set()


@pytest.mark.req("API-2", "API-4", "API-5", "KV-1")
def test_every_wish_and_every_parameter_is_named() -> None:
    assert sorted(first_cells("Wishes")) == sorted(Wish)
    assert sorted(first_cells("Logs")) == sorted(WantedPage.model_fields)
    assert set(EventFilter.model_fields) - set(spans(section(PAGE, "Events"))) == set()
    assert set(Scope) - set(spans(section(PAGE, "Who is asking"))) == set()
    assert [action for action in ACTIONS if f'"action": "{action}"' not in section(PAGE, "Storage")] == []


@pytest.mark.req("UI-6")
def test_every_event_of_the_stream_is_in_the_table() -> None:
    sent = re.findall(r"^([a-z]+) {2,}", stream.__doc__ or "", re.MULTILINE)
    assert sorted(first_cells("What happens, as it happens")) == sorted(sent)
