"""Debian 13 in a container: systemd as its PID 1, run by testcontainers, entered by nsenter."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Any, Self

from testcontainers.core.container import DockerContainer

from tests.hosts import product
from tests.hosts.engine import OWNER, NoDocker, owner
from tests.hosts.host import Host
from tests.hosts.image import DEBIAN_13, Recipe, image
from toru.trial.trial import Inside

# PID 1 of the container. $1 says which version of cgroups to show, the rest goes to systemd.
_INIT = """\
cgroups=$1
shift
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /tmp
mkdir /run/lock
# Each boot has an id of its own, by which the journal tells it from the others.
cat /proc/sys/kernel/random/uuid > /run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
rm /run/boot_id
# Docker shows cgroups read-only. These mounts are the container's own.
if [ "$cgroups" = v1 ]; then
    mount -o remount,bind,rw /sys/fs/cgroup
    for hierarchy in /sys/fs/cgroup/*; do
        [ -L "$hierarchy" ] || mount -o remount,bind,rw "$hierarchy"
    done
else
    umount -R /sys/fs/cgroup
    mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate cgroup2 /sys/fs/cgroup
fi
# Credentials reach a service by mount propagation.
mount --make-rshared /
exec /usr/lib/systemd/systemd --system "$@"
"""
# systemd 256 and newer use cgroups v1 only when told so three times. It reads its arguments as a container's "kernel"
# command line.
_V1 = (
    "systemd.unified_cgroup_hierarchy=0",
    "systemd.legacy_systemd_cgroup_controller=0",
    "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
)

# What systemd needs of Docker. Not --privileged: that asks for more than some machines have to give, SYS_RESOURCE among
# it, and would let root inside set the machine's clock and load modules into its kernel.
_OPTIONS = {
    "cap_add": ["ALL"],
    "cap_drop": ["SYS_RESOURCE", "SYS_TIME", "SYS_MODULE", "SYS_RAWIO"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "cgroupns": "private",
    "network": "none",
}

# Becomes a command inside: in a fresh environment, and gone when nsenter is. $0: the user, or nothing.
_BECOME = """\
become() {
    exec setpriv --pdeathsig KILL --reset-env "$@"
}
[ -n "$0" ] || become -- env LANG=C.UTF-8 "$@"
gid=$(id -g -- "$0") || exit 1
become --reuid "$0" --regid "$gid" --init-groups -- env LANG=C.UTF-8 "$@"
"""


class ContainerHost(Host):
    def __init__(self, name: str, container: DockerContainer) -> None:
        self.name = name
        self._container = container
        self._pid = 0
        self._alive: int | None = None  # a pidfd of it

    @classmethod
    def boot(
        cls,
        name: str,
        engine: Any,
        say: Callable[[str], None],
        *,
        limits: bool = False,
        bare: Recipe | None = None,
    ) -> Self:
        """Boot one and install Toru in it; or boot one of the recipe `bare`, and leave that out."""
        # Where Docker itself is on cgroups v1, so are the controllers that limit. Else v2 has them.
        cgroups = ("v1", *_V1) if limits and engine.info()["CgroupVersion"] == "1" else ("v2",)
        container = (
            DockerContainer(image(engine, say, bare or DEBIAN_13), docker_client_kw={"timeout": 120})
            .with_env("container", "docker")
            .with_command(["sh", "-ec", _INIT, "init", *cgroups])
            .with_kwargs(**_OPTIONS, hostname=name, labels={OWNER: owner()})
        )
        host = cls(name, container)
        try:
            container.start()
            host._wait_for_systemd()
            if bare is None:
                assert container.get_wrapped_container().put_archive("/", product.archive())
                product.configure(host)
        except BaseException:
            host.stop()
            raise
        return host

    def popen(self, *argv: str, user: str | None = None, **options: Any) -> Popen[str]:
        # docker exec takes several times as long. But an id may have become another process's, of the machine itself.
        if self._alive is None or select.select([self._alive], [], [], 0)[0]:
            raise ProcessLookupError(f"systemd of {self.name} has ended")
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        enter = ["nsenter", f"--target={self._pid}", *namespaces, "--"]
        return Inside([*enter, "sh", "-c", _BECOME, user or "", *argv], text=True, **options)

    def reboot(self) -> None:
        container = self._container.get_wrapped_container()
        container.exec_run(["systemctl", "reboot"], detach=True)
        container.wait(timeout=60)
        container.start()
        self._wait_for_systemd()

    def path(self, inner: str) -> Path:
        return Path(f"/proc/{self._pid}/root") / inner.lstrip("/")

    def stop(self) -> None:
        self._forget()
        self._container.stop()

    def _wait_for_systemd(self) -> None:
        self._forget()
        container = self._container.get_wrapped_container()
        container.reload()
        self._pid = container.attrs["State"]["Pid"]
        if not self._pid:
            raise NoDocker(f"The container ended before systemd was up: {container.logs().decode().strip()}")
        with suppress(ProcessLookupError):
            self._alive = os.pidfd_open(self._pid)
        if container.id not in Path(f"/proc/{self._pid}/cgroup").read_text():
            raise NoDocker(
                "The Docker that answers runs its containers elsewhere: set DOCKER_HOST to one of this machine."
            )
        self.wait_for("systemd is up", self._is_up, 60)

    def _forget(self) -> None:
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None

    def _is_up(self) -> bool:
        state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
        return state in {"running", "degraded"}
