"""What is a plugin id, and what may never become one."""

from pathlib import Path

import pytest

from toru.domain.errors import InvalidId
from toru.domain.ids import PluginId

ACCEPTED = ["a", "Z", "0", "clock", "CLOCK-2", "a-b-c", "-", "-x", "x-", "--help", "a" * 64]

REFUSED = {
    "nothing": "",
    "one too long": "a" * 65,
    "the parent directory": "..",
    "the directory itself": ".",
    "a path": "../x",
    "an absolute path": "/etc",
    "a separator": "a/b",
    "a NUL": "a\0",
    "a newline at the end": "clock\n",
    "a carriage return at the end": "clock\r",
    "a newline at the start": "\nclock",
    "a space": "a b",
    "an underscore": "a_b",
    "a dot": "a.service",
    "an instance": "a@b",
    "a specifier": "%n",
    "a variable": "$HOME",
    "a glob": "*",
    "a backslash": "a\\x2d",
    "digits of another script": "\u0661\u0662",
    "full-width letters": "\uff41",
    "letters with accents": "caf\u00e9",
    "a letter that only looks Latin": "\u0430",
    "a letter that folds to k": "\u212a",
    "a hyphen that isn't one": "a\u2010b",
    "a lone surrogate": "\ud800",
    "an emoji": "\U0001f9e9",
}


@pytest.mark.req("META-2")
@pytest.mark.parametrize("text", ACCEPTED)
def test_letters_digits_and_hyphens_up_to_64_make_an_id(text: str) -> None:
    assert PluginId(text) == text


@pytest.mark.req("META-2", "SEC-5")
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_no_other_text_becomes_an_id(text: str) -> None:
    with pytest.raises(InvalidId) as refusal:
        PluginId(text)
    assert refusal.value.code == "invalid-id"
    assert str(refusal.value).isprintable()
    assert "1 to 64 letters, digits and hyphens" in str(refusal.value)


def test_the_refusal_of_a_long_text_is_short() -> None:
    with pytest.raises(InvalidId) as refusal:
        PluginId("x" * 1_000_000)
    assert len(str(refusal.value)) < 200


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("text", ACCEPTED)
def test_every_name_and_path_of_an_id_is_its_own_and_stays_in_its_place(text: str) -> None:
    plugin_id = PluginId(text)
    assert plugin_id.service == f"toru-plugin-{text}.service"
    assert plugin_id.socket == f"toru-plugin-{text}.socket"
    assert plugin_id.enable_unit == f"toru-enable@{text}.service"
    assert plugin_id.disable_unit == f"toru-disable@{text}.service"
    assert plugin_id.pause_unit == f"toru-pause@{text}.service"
    assert plugin_id.resume_unit == f"toru-resume@{text}.service"
    assert plugin_id.socket_path == Path(f"/run/toru/plugins/{text}.sock")
    assert plugin_id.private_socket_path == Path(f"/run/toru-plugins/{text}/plugin.sock")
    assert plugin_id.log_path == Path(f"/var/log/toru-plugins/{text}/plugin.log")
    assert plugin_id.token_path == Path(f"/run/toru/tokens/{text}")
    assert plugin_id.profile_drop_in == Path(f"/run/systemd/system/toru-plugin-{text}.service.d/20-profile.conf")


@pytest.mark.req("PROTO-1")
def test_the_path_of_the_longest_id_fits_a_unix_address() -> None:
    longest = PluginId("a" * 64)
    for path in (longest.socket_path, longest.private_socket_path):
        assert len(str(path)) < 108, "sun_path, unix(7)"


@pytest.mark.req("ISO-5")
@pytest.mark.parametrize("text", ACCEPTED)
def test_the_id_is_found_again_in_the_names_of_its_units(text: str) -> None:
    assert PluginId.of_unit(PluginId(text).service) == text
    assert PluginId.of_unit(PluginId(text).socket) == text


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    "unit",
    [
        "toru-plugin-.service",
        "toru-plugin-x",
        "toru-plugin-x.timer",
        "toru-plugin-x.service.d",
        "toru-plugin-x.service\n",
        "toru-plugin-x@1.service",
        "toru-plugin-x_y.service",
        "toru-plugin-../x.service",
        f"toru-plugin-{'a' * 65}.service",
        "toru-plugins.service",
        "toru-plugins.slice",
        "toru-probe-x.service",
        "toru-enable@x.service",
        "toru.service",
        "my-toru-plugin-x.service",
        "TORU-PLUGIN-x.service",
        "toru-pluginax.service",
        "toru-plugin-xaservice",
        "ssh.service",
        "",
    ],
)
def test_a_unit_that_only_looks_like_a_plugins_belongs_to_nobody(unit: str) -> None:
    assert PluginId.of_unit(unit) is None
