"""`python -m deploy.confined UNIT COMMAND …`: run a command under a systemd unit's restrictions.

As systemd does it, without systemd: the same system calls, by its own names of sets, the same
address families, and no memory that is written and then executed. What a unit sets for directories
needs a service manager, and is not done here.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from ctypes.util import find_library
from errno import EPERM

from deploy.units import Unit, unit

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
# seccomp.h
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EQUAL, MASKED_EQUAL = 4, 7
WRITE, EXECUTE, SHARED_EXECUTE = 2, 4, 0o100000  # sys/mman.h, sys/shm.h
# MemoryDenyWriteExecute=: the bits of the third argument that count, and what they may be.
MEMORY = {
    "mmap": (WRITE | EXECUTE, (0, WRITE, EXECUTE)),
    "mprotect": (EXECUTE, (0,)),
    "pkey_mprotect": (EXECUTE, (0,)),
    "shmat": (SHARED_EXECUTE, (0,)),
}
# systemd.exec(5): always allowed, or the unit could not be started.
ALWAYS = ("@default", "execve")


def allowed(lines: Iterable[str]) -> set[str]:
    """Return the system calls that these SystemCallFilter= lines allow."""
    sets = _sets()

    def expanded(names: Iterable[str]) -> set[str]:
        found = set()
        for name in names:
            found |= expanded(sets[name]) if name.startswith("@") else {name}
        return found

    calls = expanded(ALWAYS)
    for line in lines:
        named = expanded(line.removeprefix("~").split())
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def _sets() -> dict[str, list[str]]:
    """Return systemd's sets of system calls by name, such as @system-service."""
    said = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sets: dict[str, list[str]] = {}
    for line in said.splitlines():
        if line.startswith("@"):
            sets[line] = []
        elif line.startswith("    ") and not line.startswith("    #"):
            sets[next(reversed(sets))].append(line.strip())
        elif line.startswith("#"):
            break  # the calls of this kernel that are in no set
    return sets


class _Compared(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("other", ctypes.c_uint64),
    )


def confine(asked: Unit) -> None:
    """Restrict this process to what the unit allows, irrevocably."""
    seccomp = ctypes.CDLL(find_library("seccomp") or "libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO | EPERM)))

    def allow(name: str, *compared: _Compared) -> None:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        each = (_Compared * len(compared))(*compared)
        if number != -1:  # one that systemd knows and this library does not
            seccomp.seccomp_rule_add_array(
                rules, ctypes.c_uint32(ALLOW), number, len(compared), each
            )

    calls = allowed(asked.service["SystemCallFilter"])
    families = [getattr(socket, name) for name in asked.only("RestrictAddressFamilies").split()]
    for family in families:
        allow("socket", _Compared(0, EQUAL, family, 0))
    assert asked.only("MemoryDenyWriteExecute") == "yes"
    for name in calls & MEMORY.keys():
        bits, values = MEMORY[name]
        for value in values:
            allow(name, _Compared(2, MASKED_EQUAL, bits, value))
    for name in calls - MEMORY.keys() - {"socket"}:
        allow(name)
    assert asked.only("NoNewPrivileges") == "yes"
    assert ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert seccomp.seccomp_load(rules) == 0
    # Check that what is forbidden fails.
    assert socket.AF_NETLINK not in families
    with suppress(PermissionError):
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
        raise AssertionError("it does not hold: a socket of another family could be made")
    with suppress(PermissionError):
        mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_WRITE | mmap.PROT_EXEC).close()
        raise AssertionError("it does not hold: memory can be written and then run")


if __name__ == "__main__":
    confine(unit(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
