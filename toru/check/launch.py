"""Becomes a program as systemd's child does: with the socket as descriptor 3, and the variables that name its own pid.

Run as `python3 launch.py DESCRIPTOR LARGEST PROGRAM ARGUMENT…`, "-" for either of the first two where there is none.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START (sd_listen_fds(3))."""
CANNOT_RUN = 203
"""EXIT_EXEC, with which systemd's own child ends when it can't become the program (systemd.exec(5))."""
PR_SET_PDEATHSIG = 1


def main(descriptor: str, largest: str, program: str, *arguments: str) -> None:
    # Whatever becomes of the check, the program doesn't outlive it (prctl(2)).
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    environment = dict(os.environ)
    pid = str(os.getpid())
    if descriptor != "-":
        os.dup2(int(descriptor), FIRST_DESCRIPTOR, inheritable=True)
        if int(descriptor) != FIRST_DESCRIPTOR:
            os.close(int(descriptor))
        environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "plugin", "LISTEN_PID": pid}
    if largest != "-":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))
    if "WATCHDOG_USEC" in environment:
        environment["WATCHDOG_PID"] = pid
    os.umask(0o077)
    os.chdir("/")
    # Python ignores it, and what becomes of us would go on ignoring it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execve(program, [program, *arguments], environment)  # noqa: S606  (that is what it is for)
    except OSError as error:
        os.write(sys.stderr.fileno(), f"{error.strerror}\n".encode())
        os._exit(CANNOT_RUN)


if __name__ == "__main__":
    main(*sys.argv[1:])
