"""The last piece of the core's sandbox, which systemd can't lay: that it runs no program any more.

SystemCallFilter=~execve in the unit would forbid ExecStart= itself, and without memfd_create a database's driver may
not load. So the core forbids them to itself, before it hears anybody, and for good: by a filter in its first thread
(seccomp(2)), which every later thread and process inherits.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38  # <linux/prctl.h>
_SECCOMP_MODE_FILTER = 2  # <linux/seccomp.h>
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_NOT_LESS, _RETURN = 0x20, 0x15, 0x35, 0x06  # <linux/bpf_common.h>
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
_NUMBER_AT, _MACHINE_AT = 0, 4  # struct seccomp_data
_X32 = 0x40000000  # x86_64 has a second set of calls from here on, and no other machine has any

# uname(2)'s machine → AUDIT_ARCH_* of <linux/audit.h>; execve, execveat and memfd_create in <asm/unistd.h>.
_MACHINES = {
    "x86_64": (0xC000003E, 59, 322, 319),
    "aarch64": (0xC00000B7, 221, 281, 279),
    "riscv64": (0xC00000F3, 221, 281, 279),
    "ppc64le": (0xC0000015, 11, 362, 360),
    "s390x": (0x80000016, 11, 354, 350),
}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def forbid_programs() -> None:
    """From now on execve(2), execveat(2) and memfd_create(2) fail with EPERM, here and in children. OSError: as before.

    The last makes memory that is written like a file, and could be loaded as one. Call it while there is one thread:
    others that run already are not bound by it.
    """
    machine = os.uname().machine
    if machine not in _MACHINES or sys.maxsize < 2**32:
        raise OSError(errno.ENOSYS, f"the numbers of system calls are not known for {machine}")
    instructions = _instructions(*_MACHINES[machine])
    program = _Program(len(instructions) // 8, instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for option, first, second in (
        (_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0)),
        (_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program)),
    ):
        if libc.prctl(option, first, second, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def _instructions(machine: int, *calls: int) -> bytes:
    """Classic BPF: to refuse these calls, and every call by other numbers than this machine's own."""
    refused = [(_JUMP_IF_EQUAL, call) for call in calls]
    # Each jump is over the tests that follow and the _ALLOW after them.
    tests = [(_JUMP_IF_NOT_LESS, _X32), *refused]
    rows = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_JUMP_IF_EQUAL, 0, len(tests) + 2, machine),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((test, len(tests) - place, 0, value) for place, (test, value) in enumerate(tests)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *row) for row in rows)
