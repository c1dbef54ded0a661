"""Makes a project: a folder with a plugin that runs, its page, its test, and how to build it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from toru.domain.errors import AlreadyExists, InvalidInput
from toru.domain.ids import RESERVED, PluginId

_HERE = Path(__file__).parent
TEMPLATES = _HERE / "templates"
SUFFIX = ".in"
"""Of each template, so that nobody takes it for what will become of it."""

CHECKOUT_SDK = _HERE.parents[1] / "sdk"
INSTALLED_SDK = Path("/usr/share/toru/sdk")


class Language(StrEnum):
    PYTHON = "python"
    RUST = "rust"
    GO = "go"
    HTTP = "http"
    """Any that has an HTTP server; the template's is Python's own."""


_MARKS = {Language.PYTHON: "python/toru_plugin/__init__.py", Language.RUST: "rust/Cargo.toml"}
"""By which the SDK for a language is known."""

_CRATE_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Project:
    id: PluginId
    language: Language
    folder: Path
    files: tuple[str, ...]


def make(plugin_id: str, language: Language, parent: Path, sdk: Path | None = None) -> Project:
    """A new folder with this name, whole or not at all. `sdk`: where the SDKs lie; else they are looked for."""
    checked = PluginId(plugin_id)
    if checked in RESERVED:
        raise InvalidInput(f"{plugin_id!r} is taken: /api/plugins/{plugin_id}/ is the way to every plugin")
    folder = parent / checked
    if folder.exists() or folder.is_symlink():
        raise AlreadyExists(f"{folder} exists already")
    words = _words(checked, _sdk_for(language, sdk))
    # Beside it, so that it can be renamed into place.
    with tempfile.TemporaryDirectory(prefix=".toru-new-", dir=parent) as temporary:
        made = Path(temporary, checked)
        made.mkdir()
        files = tuple(sorted(_fill(language, made, words)))
        made.rename(folder)
    return Project(checked, language, folder, files)


def _sdk_for(language: Language, given: Path | None) -> Path | None:
    """Where the SDKs lie; None, where this language needs none or its package manager has it."""
    if (mark := _MARKS.get(language)) is None:
        return None
    if given is not None:
        for place in (given, given / "sdk"):
            if (place / mark).is_file():
                return place.resolve()
        raise InvalidInput(f"there is no SDK for {language} in {given}: {mark} is missing")
    return next((place for place in (CHECKOUT_SDK, INSTALLED_SDK) if (place / mark).is_file()), None)


def _words(plugin_id: PluginId, sdk: Path | None) -> Mapping[str, str]:
    name = plugin_id.replace("-", " ").strip() or plugin_id
    crate = f'version = "{_CRATE_VERSION}"' if sdk is None else f'path = "{sdk / "rust"}"'
    return {
        "@ID@": plugin_id,
        "@NAME@": name[:1].upper() + name[1:],
        "@SDK@": "" if sdk is None else str(sdk),
        "@CRATE@": crate,
    }


def _fill(language: Language, folder: Path, words: Mapping[str, str]) -> Iterator[str]:
    for kind in ("all", language):
        for template in sorted((TEMPLATES / kind).rglob(f"*{SUFFIX}")):
            name = str(template.relative_to(TEMPLATES / kind)).removesuffix(SUFFIX)
            text = template.read_text(encoding="utf-8")
            for word, filled in words.items():
                text = text.replace(word, filled)
            target = folder / name
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
            if text.startswith("#!"):
                target.chmod(0o755 & ~_umask())
            yield name
    if language is Language.RUST and words["@SDK@"]:
        # The very versions that the SDK is tested with.
        lock = Path(words["@SDK@"], "rust", "Cargo.lock")
        if lock.is_file():
            shutil.copyfile(lock, folder / "Cargo.lock")
            yield "Cargo.lock"


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
