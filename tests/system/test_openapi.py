"""The API and its own OpenAPI document: schemathesis asks every operation for whatever that allows, and what not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.host import Host
from tests.hosts.relay import from_port, to_path
from tests.system.api import SOCKET, Api
from tests.system.databases import kept_in
from tests.system.toru import PLUGINS, Toru

pytestmark = pytest.mark.req("API-7", "SEC-5")

SETTINGS = Path(__file__).parent / "openapi"

# Says something every now and then, so that a stream of its log need not be waited for.
TALKER = """\
#!/bin/sh
if [ "$1" = --metadata ]; then
    echo '{"id": "talker", "name": "Talker", "version": "1", "route": "/talker", "protocol": "http"}'
else
    while sleep 0.2; do echo 'something new'; done
fi
"""

# From a socket on this host to its web address, which may be in a network of its own.
BRIDGE = """
import asyncio, sys

async def pass_on(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def lead(reader, writer):
    theirs = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    await asyncio.gather(pass_on(reader, theirs[1]), pass_on(theirs[0], writer), return_exceptions=True)

async def main():
    async with await asyncio.start_unix_server(lead, sys.argv[1]) as server:
        print("leading", flush=True)
        await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
def addresses(toru: Toru, host: Host) -> Iterator[tuple[str, str]]:
    """The web address of a core with plugins and a database of its own, and where whoever asks is root."""
    bridge, database = "/run/toru-bridge.sock", "/var/lib/toru/openapi.db"
    port = Api.at_web_address(host).address
    with (
        kept_in(f"sqlite:///{database}", host),
        host.popen("python3", "-c", BRIDGE, bridge, port, stdout=subprocess.PIPE) as leading,
        from_port(to_path(host.path(bridge))) as web,
        from_port(to_path(host.path(SOCKET))) as root,
    ):
        assert leading.stdout is not None
        leading.stdout.readline()
        toru.plant("clock")
        toru.plant("asleep", metadata={"start": "on-demand"})
        toru.drop("talker.binary", TALKER)
        host.put(f"{PLUGINS}/talker/bundle.js", "")  # it answers nobody
        toru.drop("bad.binary", "#!/bin/sh\nexit 1\n")
        toru.scan()
        yield f"http://127.0.0.1:{web}", f"http://127.0.0.1:{root}"
        leading.kill()
        toru.remove("talker")
    host.run("sh", "-c", f"rm -f {bridge} {database}*")


@pytest.mark.parametrize("who", ["admin", "nobody"])
def test_nothing_is_otherwise_than_the_document_says(
    toru: Toru, host: Host, addresses: tuple[str, str], tmp_path: Path, who: str
) -> None:
    web, root = addresses
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(Api(host).get("/api/openapi.json")))
    shutil.copytree(SETTINGS, tmp_path, dirs_exist_ok=True)  # it leaves things where it runs
    command = [sys.executable, "-m", "schemathesis.cli", "run", document.name, "--url", web]
    if who == "nobody":
        command += ["--phases", "examples,coverage"]  # there is not much more to find behind a closed door
    environment = {**os.environ, **({"TORU_FUZZ_ROOT": root} if who == "admin" else {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    operations = sum(len(item) for item in json.loads(document.read_text())["paths"].values())
    assert f"Tested: {operations}" in done.stdout, "none was left out"
    faults = [entry["MESSAGE"] for entry in toru.journal("_SYSTEMD_UNIT=toru.service", "PRIORITY=3")]
    assert not [line for line in faults if "Traceback" in line]
