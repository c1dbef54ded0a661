"""The pages name what exists: files, units, commands, keys, fields."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.docs.pages import PAGES, TREE, Block, blocks, headings_of, prose_of, rows, section, spans, text_of
from toru.admin.main import _parser
from toru.cli.commands import _commands
from toru.core.live import plugin_pushed
from toru.domain import frames, manifest
from toru.domain.ids import PluginId
from toru.domain.manifest import parse_manifest
from toru.domain.policy import Policy
from toru.gateway.toru2 import frames as toru2_frames
from toru.gateway.toru2 import messages as toru2_messages
from toru.gateway.toru2.pushes import A_SECOND, AT_ONCE
from toru.settings import KEYS, KEYS_OF_A_PLUGIN, VARIABLES, policy_from

KINDS = {".path", ".service", ".slice", ".socket", ".timer"}
UNITS = {file.name for file in (TREE / "units").iterdir() if file.suffix in KINDS}

LANGUAGES = {"caddy", "console", "hexdump", "ini", "js", "json", "nginx", "python", "sh", "text", "toml", "yaml"}

# What systemd says, and not Toru.
OF_SYSTEMD = {"was already loaded or has a fragment file"}


def of(*languages: str, page: str | None = None) -> pytest.MarkDecorator:
    found = blocks(*languages, page=page)
    return pytest.mark.parametrize("block", found, ids=[str(block) for block in found])


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    dead = []
    targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", prose_of(page))
    for target in (first or second for first, second in targets):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        to = (TREE / page).parent / file if file else TREE / page
        if not to.exists() or (anchor and anchor not in map(slug, headings_of(str(to.resolve().relative_to(TREE))))):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_files_of_the_tree_that_are_named_exist(page: str) -> None:
    tops = "toru|units|tests|docs|examples|packaging"
    named = [span for span in spans(prose_of(page)) if re.fullmatch(rf"(?:{tops})(?:/[\w.@-]+)+/?", span)]
    assert [name for name in named if name not in {"toru/1", "toru/2"} and not (TREE / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_units_that_are_named_exist(page: str) -> None:
    named = re.findall(r"\btoru[\w@-]*\.(?:service|socket|path|timer|slice)\b", text_of(page))
    transient = ("toru-plugin-", "toru-probe-", "toru-hook-", "toru-webhook@")
    ours = {re.sub(r"@.*\.", "@.", name) for name in named if not name.startswith(transient)}
    assert ours - UNITS == set()


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "docs/ops.md"])
def test_every_unit_is_in_the_table_of_units(page: str) -> None:
    text = section(page, "Units" if page == "docs/ops.md" else "Who does what").replace("@ID", "@")
    assert {unit for unit in UNITS if f"`{unit}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES)
def test_what_is_said_to_be_installed_is(page: str, tmp_path: Path) -> None:
    subprocess.run(["sh", TREE / "units/install.sh", tmp_path], check=True)
    named = set(re.findall(r"/usr/(?:lib|share)/[\w./@-]*toru[\w./@-]*\b", text_of(page)))
    assert {path for path in named if not (tmp_path / path.lstrip("/")).exists()} == set()


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_named_exist(page: str) -> None:
    toru: Any = get_command(_commands())
    known = {
        "toru": set(toru.commands),
        "toru try": set(toru.commands["try"].commands),
        "toru-admin": set(_parser()._subparsers._group_actions[0].choices or ()),  # type: ignore[union-attr]
        "make": set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE)),
    }
    code = "\n".join(spans(prose_of(page)) + [block.text for block in blocks("sh", "console", page=page)])
    code = re.sub(r"#.*", "", code)
    named = re.findall(r"(?:^|[ /])(toru try|toru-admin|toru|make) ([a-z]+)\b", code, re.MULTILINE)
    assert {f"{program} {word}" for program, word in named if word not in known[program]} == set()


@pytest.mark.req("OPS-3")
def test_every_command_is_in_the_table_of_commands() -> None:
    toru: Any = get_command(_commands())
    shown = {span.split()[1] for row in rows(section("docs/ops.md", "The command")) for span in spans(row[0])}
    assert shown == set(toru.commands)


def test_every_block_says_its_language() -> None:
    fences = [line for page in PAGES for line in text_of(page).splitlines() if line.startswith("```") and line != "```"]
    assert {fence.removeprefix("```") for fence in fences} <= LANGUAGES
    assert sum(text_of(page).count("\n```") for page in PAGES) == 2 * len(fences), "every block has a language"


@of("json")
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@of("python")
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


@of("sh")
def test_shell_is_sound(block: Block) -> None:
    subprocess.run(["sh", "-n"], input=block.text, text=True, check=True)


# Settings.


@pytest.mark.req("SUP-7", "SEC-4")
@of("toml")
def test_every_setting_in_the_pages_is_accepted(block: Block) -> None:
    policy_from(tomllib.loads(block.text))


def test_the_settings_shown_as_defaults_are_the_defaults() -> None:
    assert policy_from(tomllib.loads(blocks("toml", page="docs/ops.md")[0].text)) == Policy()


def test_every_setting_is_in_the_pages() -> None:
    shown: dict[str, Any] = {}
    for block in blocks("toml", page="docs/ops.md"):
        shown |= tomllib.loads(block.text)
    (of_one_plugin,) = shown.pop("plugins").values()
    assert set(of_one_plugin) == set(KEYS_OF_A_PLUGIN)
    tables = {name for name, content in shown.items() if isinstance(content, dict)}
    keys = shown.keys() - tables | {f"{table}.{key}" for table in tables for key in shown[table]}
    assert keys == set(KEYS)


def test_every_variable_of_the_settings_is_in_the_pages() -> None:
    assert set(spans(section("docs/ops.md", "Settings"))) >= set(VARIABLES)


# Metadata.


@pytest.mark.req("META-1")
def test_the_metadata_shown_is_accepted_and_has_every_field() -> None:
    (block,) = blocks("json", page="docs/plugins.md")
    said = json.loads(block.text)
    parse_manifest(block.text.encode())
    assert set(said) == set(manifest._RULES)


@pytest.mark.req("META-1")
def test_the_table_of_metadata_has_every_field() -> None:
    fields = [field for row in rows(section("docs/plugins.md", "Metadata")) for field in spans(row[0])]
    assert sorted(fields) == sorted(manifest._RULES)


# The protocol.

AT = datetime(2026, 1, 1, tzinfo=UTC)
OF_TORU_2 = ("hello", "http", "credit", "cancel", "goodbye", "push")


@pytest.mark.req("PROTO-1", "PROTO-2", "PROTO-3")
def test_init_and_shutdown_are_what_toru_sends() -> None:
    shown = [json.loads(block.text) for block in blocks("json", page="docs/protocol.md")]
    init = next(message for message in shown if message["payload"].get("action") == "init")
    facts = {name: init["payload"][name] for name in ("instance_id", "plugin_socket", "log_path")}
    assert json.loads(frames.init(**facts, now=AT)[4:]) == init
    assert json.loads(frames.shutdown(now=AT)[4:]) in shown


@pytest.mark.req("PROTO-1")
def test_the_bytes_shown_are_those_on_the_wire() -> None:
    shutdown, answer = (
        bytes.fromhex("".join(line[10:57] for line in block.text.splitlines())) for block in blocks("hexdump")
    )
    assert shutdown == frames.shutdown(now=AT)
    head, end = toru2_frames.FrameReader().feed(answer)
    assert isinstance(head, toru2_frames.Message)
    assert toru2_messages.head_of(head.said["payload"], to_head=False).headers == [(b"content-type", b"text/plain")]
    assert end == toru2_frames.Data(1, b"hi", is_last=True)
    assert toru2_frames.message(head.said) + toru2_frames.data(1, b"hi", is_last=True) == answer


@pytest.mark.req("PROTO-1")
def test_the_limits_in_the_page_are_the_limits() -> None:
    limits = {
        frames.LARGEST_MESSAGE_BYTES,
        toru2_frames.LARGEST_FRAME,
        toru2_frames.LARGEST_PART,
        toru2_frames.HIGHEST_ID,
        toru2_messages.MOST_CREDIT,
        toru2_messages.MOST_REQUESTS,
        toru2_messages.LARGEST_PUSH,
    }
    page = text_of("docs/protocol.md")
    assert [limit for limit in limits if f"{limit:_}".replace("_", " ") not in page] == []
    assert f"{AT_ONCE} at once and {A_SECOND} a second" in " ".join(page.split())


@pytest.mark.req("PROTO-1", "LANG-2")
def test_the_messages_of_toru_2_are_what_toru_sends_and_understands() -> None:
    shown = {heading: [json.loads(it.text) for it in blocks("json", heading=heading)] for heading in OF_TORU_2}
    core, plugin = shown["hello"]
    assert sent(toru2_messages.hello(credit=262_144, connection_credit=1_048_576)) == core
    assert toru2_messages.hello_of(plugin["payload"]) == toru2_messages.Hello(262_144, 1_048_576, 100)
    request, answer = shown["http"]
    asked = request["payload"]
    headers = [(name.encode(), value.encode()) for name, values in asked["headers"].items() for value in values]
    said = toru2_messages.request(1, asked["method"].encode(), asked["path"].encode(), headers, has_body=asked["body"])
    assert sent(said) == request
    expected = toru2_messages.Head(200, [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")], has_body=True, length=None)
    assert toru2_messages.head_of(answer["payload"], to_head=False) == expected
    assert [sent(toru2_messages.credit(*it)) for it in ((1, 131_072), (None, 524_288))] == shown["credit"]
    assert [sent(toru2_messages.cancel(1, "the client has left"))] == shown["cancel"]
    (goodbye,) = shown["goodbye"]
    assert toru2_messages.goodbye_of(goodbye["payload"]) == toru2_messages.Goodbye("stopping", 7, "SIGTERM")
    (push,) = shown["push"]
    assert toru2_messages.push_of(push["payload"]) == toru2_messages.Push("tick", '{"now":"12:00"}')
    (event,) = (json.loads(span) for span in spans(section("docs/protocol.md", "push")) if '"dropped"' in span)
    assert json.loads(plugin_pushed(PluginId("clock"), "tick", '{"now":"12:00"}', 0).data) == event


def sent(frame: bytes) -> Any:
    return json.loads(frame[4:])


# Sentences.


def test_sentences_that_a_reader_may_search_for_are_in_the_code() -> None:
    code = "\n".join(file.read_text() for file in sorted((TREE / "toru").rglob("*.py")))
    sentences = [span for row in rows(section("docs/ops.md", "By symptom")) for span in spans(row[0])]
    parts = [part.strip() for sentence in sentences for part in re.split(r"…|:|\(exit status \d+\)", sentence)]
    assert [part for part in parts if " " in part and part not in code and part not in OF_SYSTEMD] == []
