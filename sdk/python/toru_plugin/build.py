"""`toru-plugin build`: a plugin as one executable file, which holds its program, its files and this SDK.

The file is a zip that Python runs (zipapp). What the plugin answers to `--metadata` is asked once, here, and written
into it, so that Toru's probe imports nothing. Other packages come along with `--with`, as they are installed here.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
MODULES = "modules/"
"""Where in the zip the packages of `--with` lie: unpacked at a start, because a zip can't load compiled ones."""

_MAIN = '''\
"""Made by `toru-plugin build`."""

import sys

METADATA = {metadata!r}

if sys.argv[1:] == ["--metadata"]:
    sys.stdout.buffer.write(METADATA.encode() + b"\\n")
    sys.exit()
{unpack}
import runpy

runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
'''

_UNPACK = """
import os
import zipfile

# Once for each build, in the plugin's own cache. Whole, then renamed: the plugin may be ended meanwhile.
cache = os.environ.get("CACHE_DIRECTORY") or os.path.join(os.path.expanduser("~"), ".cache", {name!r})
modules = os.path.join(cache, {key!r})
if not os.path.isdir(modules):
    import shutil

    for old in os.listdir(cache) if os.path.isdir(cache) else ():
        if old.startswith("modules-"):
            shutil.rmtree(os.path.join(cache, old), ignore_errors=True)
    new = "%s.%d" % (modules, os.getpid())
    with zipfile.ZipFile(sys.path[0]) as archive:
        archive.extractall(new, [name for name in archive.namelist() if name.startswith({modules!r})])
    os.rename(os.path.join(new, {modules!r}), modules)
    os.rmdir(new)
sys.path.insert(1, modules)
"""


class Unbuildable(Exception):
    """The text says why."""


def build(
    program: Path, files: Sequence[Path], to: Path, *, python: str = PYTHON, packages: Sequence[str] = ()
) -> Path:
    """Lays the plugin down in the directory `to` as `ID.binary`, and a bundle.js in `ID` for the manager."""
    metadata = metadata_of(program)
    contents = dict(_contents(program, files))
    if packages:
        contents.update((MODULES + name, content) for name, content in _of_packages(packages))
    unpack = ""
    if packages:
        key = hashlib.sha256(
            b"".join(name.encode() + content for name, content in sorted(contents.items()))
        ).hexdigest()
        unpack = _UNPACK.format(name=metadata["id"], key=f"modules-{key[:16]}", modules=MODULES)
    said = json.dumps(metadata, ensure_ascii=False)
    contents["__main__.py"] = _MAIN.format(metadata=said, unpack=unpack, module=program.stem).encode()
    _replace(to / f"{metadata['id']}.binary", _archive(python, contents), mode=0o755)
    bundle = contents.get("bundle.js")
    if bundle is not None:
        (to / metadata["id"]).mkdir(mode=0o755, parents=True, exist_ok=True)
        _replace(to / metadata["id"] / "bundle.js", bundle, mode=0o644)
    return to / f"{metadata['id']}.binary"


def metadata_of(program: Path) -> dict[str, Any]:
    """What the program answers, run by this Python: here are the packages that it imports."""
    here = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, str(program), "--metadata"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    if ran.returncode != 0:
        raise Unbuildable(f"{program} --metadata fails:\n{ran.stderr.strip()}")
    try:
        said = json.loads(ran.stdout)
    except ValueError:
        raise Unbuildable(f"{program} --metadata prints no JSON: {ran.stdout[:200]!r}") from None
    if not isinstance(said, dict) or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", str(said.get("id", ""))):
        raise Unbuildable(f"{program} --metadata says no id")
    return said


def _contents(program: Path, files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    if not program.stem.isidentifier() or program.suffix != ".py":
        raise Unbuildable(f"{program.name!r} is no name of a Python module")
    package = Path(__file__).resolve().parent
    yield from _under(package, package.name)
    yield program.name, program.read_bytes()
    for path in files:
        yield from _under(path, path.name) if path.is_dir() else [(path.name, path.read_bytes())]


def _under(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{name}/{path.relative_to(folder)}", path.read_bytes()


def _of_packages(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The files of these distributions and of all that they require, as they are installed here."""
    waiting = [_normalised(name) for name in names]
    taken: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in taken:
            continue
        taken.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name in map(_normalised, names):
                raise Unbuildable(f"{name} is not installed for {sys.executable}") from None
            continue  # for another system, or an extra that nobody chose
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and "__pycache__" not in file.parts and path.is_file():
                yield str(file), path.read_bytes()
        required = [it for it in distribution.requires or () if "extra ==" not in it]
        waiting.extend(_normalised(re.split(r"[\s\[;<>=!~(]", it, maxsplit=1)[0]) for it in required)


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _archive(python: str, contents: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    target.write(f"#!{python}\n".encode())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(contents.items()):
            _add(archive, name, content)
            if name.endswith(".py") and not name.startswith(MODULES):
                compiled = _compiled(name, content)
                # Python takes it if it is of its own version; another compiles the source at each start.
                _add(archive, name + "c", compiled)
    return target.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # A fixed date: the same plugin is the same file.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _compiled(name: str, source: bytes) -> bytes:
    import marshal

    code = compile(source, name, "exec", dont_inherit=True)
    # PEP 552: by hash, and not checked, because the two can't drift apart within one file.
    return (
        importlib.util.MAGIC_NUMBER
        + (0b01).to_bytes(4, "little")
        + importlib.util.source_hash(source)
        + marshal.dumps(code)
    )


def _replace(path: Path, content: bytes, *, mode: int) -> None:
    """Complete, then renamed: nobody ever sees half a plugin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, new = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
    Path(new).replace(path)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="toru-plugin build", description="Make a plugin one executable file.")
    parser.add_argument("program", type=Path, help="the plugin's program")
    parser.add_argument("files", type=Path, nargs="*", help="what lies beside it: modules, folders, bundle.js")
    parser.add_argument("--to", type=Path, default=Path(), help="the directory for ID.binary (default: this one)")
    parser.add_argument("--python", default=PYTHON, help="what will run it (default: %(default)s)")
    parser.add_argument(
        "--with", dest="packages", action="append", default=[], metavar="PACKAGE",
        help="take this installed package along, with all that it requires",
    )  # fmt: skip
    asked = parser.parse_args(arguments)
    try:
        made = build(asked.program, asked.files, asked.to, python=asked.python, packages=asked.packages)
    except (Unbuildable, OSError) as error:
        print(f"toru-plugin: {error}", file=sys.stderr)
        return 1
    print(made)
    return 0
