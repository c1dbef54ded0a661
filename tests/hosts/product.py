"""Toru in a container, the way its package puts it there."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.hosts.host import Host

TREE = Path(__file__).resolve().parents[2]

PACKAGE = "usr/lib/python3/dist-packages"
ENTRY_POINTS = {"toru": "toru.cli.main", "toru-admin": "toru.admin.main"}
ENTRY_POINT = """\
#!/usr/bin/python3 -I
import sys

from {module} import main

sys.exit(main())
"""

# What the maintainer scripts do.
_CONFIGURE = f"""\
set -e
cd /usr/lib/systemd/system
python3 -m compileall -q /{PACKAGE}/toru
systemd-sysusers toru.conf
systemd-tmpfiles --create toru.conf
systemctl daemon-reload
units=$(ls -d toru*.* | grep -v -e @ -e '\\.d$')
systemctl preset $units
"""


def archive() -> bytes:
    """Return the product's files as a tar archive, all of them root's."""
    with tempfile.TemporaryDirectory() as stage:
        subprocess.run(["sh", str(TREE / "units/install.sh"), stage], check=True)
        for name, module in ENTRY_POINTS.items():
            script = Path(stage, "usr/bin", name)
            script.parent.mkdir(exist_ok=True)
            script.write_text(ENTRY_POINT.format(module=module))
            script.chmod(0o755)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.add(stage, ".", filter=_of_root)
            tar.add(TREE / "toru", f"{PACKAGE}/toru", filter=_of_root)
    return buffer.getvalue()


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "__pycache__" in member.name:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    if member.isdir():
        member.mode = 0o755
    return member


def configure(host: Host) -> None:
    """Do what the package does after unpacking: the enabled units start, and what can't must not stop the others."""
    host.run("sh", "-c", _CONFIGURE)
    preset = (TREE / "units/system-preset/80-toru.preset").read_text()
    for unit in re.findall(r"^enable (\S+)", preset, re.MULTILINE):
        host.run("systemctl", "start", unit, check=False)
