"""Build Toru's Debian packages in a Debian 13 of their own. Needs root, for namespaces.

Usage: build.py [--to DIRECTORY] [--version VERSION] [--lint]

What is built is this tree without what git ignores, at a path that is always the same, by a user without privilege,
without a network, from Debian's packages alone: the same tree gives the same bytes. The Debian 13 is made by
debootstrap the first time, and kept.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
DEBIAN = TREE / "packaging/debian"
PACKAGES = TREE / "frontend/node_modules"
CACHE = Path("/var/cache/toru-deb")

SUITE = "trixie"
TOOLS = ["lintian", "dpkg-dev"]

# Nobody's, and nowhere else.
BUILDER = 64007

# Becomes the build, in a mount namespace: $1 the Debian 13, $2 where the source lies, $3 the Node.js packages that it
# is built with, the rest a command. Only /build and /tmp can be written to.
_INSIDE = """\
set -e
root=$1 work=$2 packages=$3
shift 3
mount --bind "$root" "$root"
cd "$root"
mount --bind "$work" build
mount --bind "$packages" build/source/frontend/node_modules
# Where Vite may write, if it is there.
! [ -d "$packages/.vite-temp" ] || mount -t tmpfs -o mode=1777 tmpfs build/source/frontend/node_modules/.vite-temp
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t proc proc proc
mount -o remount,ro,bind "$root"
exec chroot --userspec="$BUILDER:$BUILDER" . env -i \\
    HOME=/tmp LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS" \\
    sh -ec 'cd /build/source && exec "$@"' sh "$@"
"""


class Failed(Exception):
    """Nothing was built. The text is a sentence for whoever asked."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Build Toru's Debian packages.")
    parser.add_argument("--to", type=Path, default=TREE / "dist", help="where they go (default: dist)")
    parser.add_argument("--version", help="build them as another version than packaging/debian/changelog says")
    parser.add_argument("--lint", action="store_true", help="have lintian judge them, and fail where it complains")
    options = parser.parse_args(arguments)
    try:
        for package in build(options.to, version=options.version, lint=options.lint):
            print(package)
    except Failed as failure:
        print(f"toru: {failure}", file=sys.stderr)
        return 1
    return 0


def build(to: Path, *, version: str | None = None, lint: bool = False) -> list[Path]:
    """Build the packages, put them into this directory, which apt can install from, and return where they are."""
    if os.geteuid() != 0:
        raise Failed("Building the packages needs root: make deb asks for it.")
    if not PACKAGES.is_dir():
        raise Failed(f"{PACKAGES} is missing, of which the web manager is built: make setup installs it.")
    log = TREE / "build/log/deb.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with debian_13(log) as root, tempfile.TemporaryDirectory(prefix="work-", dir=CACHE) as directory:
        work = Path(directory)
        source = work / "source"
        lay_down(source)
        if version is not None:
            rename(source, version)
        subprocess.run(["chown", "-R", f"{BUILDER}:{BUILDER}", str(work)], check=True)
        inside(root, work, log, "dpkg-buildpackage", "--build=binary", "--no-sign")
        # So that apt can install from the directory.
        inside(root, work, log, "sh", "-c", "cd .. && exec dpkg-scanpackages --multiversion . >Packages")
        made = hand_over(work, to)
        if lint:
            inside(root, work, log, "sh", "-c", "lintian --fail-on error,warning --tag-display-limit 0 ../*.changes")
        return made


def lay_down(source: Path) -> None:
    """Copy this tree as git knows it, its modes as git has them."""
    listed = ["git", "-c", "safe.directory=*", "-C", str(TREE), "ls-files", "-z"]
    known = subprocess.run(
        [*listed, "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=False
    )
    if known.returncode != 0:
        raise Failed(f"What belongs to the source is what git says, and it says: {known.stderr.strip()}")
    for name in sorted(set(known.stdout.split("\0")) - {""}):
        file = TREE / name
        target = source / name
        if file.is_symlink() or file.is_file():  # else it is gone, and git doesn't know yet
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target, follow_symlinks=False)
            if not file.is_symlink():
                target.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    shutil.move(source / "packaging/debian", source / "debian")
    (source / "frontend/node_modules").mkdir()


def rename(source: Path, version: str) -> None:
    changelog = source / "debian/changelog"
    changelog.write_text(re.sub(r"\(.*?\)", f"({version})", changelog.read_text(), count=1))


@contextmanager
def debian_13(log: Path) -> Iterator[Path]:
    """Give the directory of a Debian 13 that has what the build needs: made, if it isn't there yet."""
    needed = (DEBIAN / "control").read_text().partition("Build-Depends:")[2].partition("\n\n")[0]
    recipe = SUITE + needed + " ".join(TOOLS)
    root = CACHE / f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "complete").exists():
            print("toru: making the Debian 13 to build in, which takes some minutes and is kept", file=sys.stderr)
            for old in CACHE.glob(f"{SUITE}-*"):
                shutil.rmtree(old)
            try:
                debootstrap(root, log)
            except subprocess.CalledProcessError as failure:
                raise Failed(f"{failure.cmd[0]} could not make the Debian 13 to build in: {log} says why.") from None
            (root / "complete").touch()
        yield root


def debootstrap(root: Path, log: Path) -> None:
    if shutil.which("debootstrap") is None:
        raise Failed("The Debian 13 to build in needs debootstrap: apt install debootstrap debian-archive-keyring")
    run(log, "debootstrap", "--variant=buildd", SUITE, str(root), *mirror())
    for file in ("etc/resolv.conf", "etc/hosts"):
        shutil.copyfile(Path("/", file), root / file)
    (root / "build/debian").mkdir(parents=True)
    shutil.copyfile(DEBIAN / "control", root / "build/debian/control")
    install = ["apt-get", "-q", "-y", "--no-install-recommends"]
    environment = ["env", "-i", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    for command in (["apt-get", "-q", "update"], [*install, "build-dep", "/build"], [*install, "install", *TOOLS]):
        run(log, "chroot", str(root), *environment, *command)
    run(log, "chroot", str(root), "apt-get", "clean")


def mirror() -> list[str]:
    """Return where this machine gets Debian from; on no Debian, nothing: debootstrap knows a mirror."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    which = ["Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"]
    return subprocess.run([*asked, *which], capture_output=True, text=True, check=False).stdout.split()[:1]


def run(log: Path, *command: str) -> None:
    with log.open("ab") as output:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True)


def inside(root: Path, work: Path, log: Path, *command: str) -> None:
    apart = ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child"]
    variables = {"BUILDER": str(BUILDER), "DEB_BUILD_OPTIONS": f"parallel={os.cpu_count()}"}
    ran = subprocess.run(
        [*apart, "sh", "-c", _INSIDE, "sh", str(root), str(work), str(PACKAGES), *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **variables},
    )  # fmt: skip
    with log.open("ab") as output:
        output.write(ran.stdout)
    if ran.returncode != 0:
        last = "\n".join(ran.stdout.decode(errors="replace").splitlines()[-30:])
        raise Failed(f"{command[0]} failed; {log} has all of it:\n{last}")


def hand_over(work: Path, to: Path) -> list[Path]:
    to.mkdir(parents=True, exist_ok=True)
    made = sorted(file for file in work.iterdir() if file.is_file())
    for file in made:
        shutil.copyfile(file, to / file.name)
    return [to / file.name for file in made if file.suffix == ".deb"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
