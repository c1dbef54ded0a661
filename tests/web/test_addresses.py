"""No plugin's id stands where Toru has a word of its own."""

from __future__ import annotations

import pytest

from tests.web.document import routes_of
from tests.web.server import Site
from toru.domain.errors import InvalidManifest
from toru.domain.ids import RESERVED
from toru.domain.manifest import manifest_from

ROUTES_OF_PLUGINS = "/api/plugins/route/"
"""As docs/plugins.md says, and every plugin in the field."""


def may_be_an_id(text: str) -> bool:
    try:
        manifest_from({"id": text, "name": "X", "route": "/x"})
    except InvalidManifest:
        return False
    return True


@pytest.mark.req("META-2", "API-1")
def test_whatever_is_fixed_behind_api_plugins_is_no_id(site: Site) -> None:
    paths = [route.partition(" ")[2] for route in routes_of(site.app)] + [ROUTES_OF_PLUGINS]
    behind = {path.split("/")[3] for path in paths if path.startswith("/api/plugins/")}
    assert [word for word in behind if word != "{plugin_id}" and may_be_an_id(word)] == []
    assert {"{plugin_id}", *RESERVED} == behind, "nothing is reserved without need"


@pytest.mark.req("API-1")
@pytest.mark.parametrize("plugin_id", ["rejected", "events", "kv", "Route", "route-"])
def test_other_words_are_ids_like_any(site: Site, plugin_id: str) -> None:
    assert may_be_an_id(plugin_id)
    answer = site.peer().get(f"/api/plugins/{plugin_id}")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no plugin {plugin_id}")
