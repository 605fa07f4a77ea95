"""`python -m deploy.confined UNIT COMMAND …`: runs it under what a unit forbids a process.

As systemd does it, without systemd: the same system calls, by its own names of sets, the same
families of addresses, and no memory that is written and then run. What a unit says of directories
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

# linux/prctl.h and linux/seccomp.h, seccomp.h
PR_SET_NO_NEW_PRIVS = 38
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
ALLOW = 0x7FFF0000
ERRNO = 0x00050000
EQUAL = 4
# systemd.exec(5): these are in force whatever a unit says, or it could not be started.
ALWAYS = ("@default", "execve")


def allowed(lines: Iterable[str]) -> set[str]:
    """Return the system calls that are left after these SystemCallFilter= lines."""
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
    """Return what systemd calls by the name of a set, such as @system-service."""
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
            break  # what this kernel has besides
    return sets


class _Compared(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("other", ctypes.c_uint64),
    )


def confine(asked: Unit) -> None:
    """From here on this process may do what the unit allows; that cannot be taken back."""
    libc = ctypes.CDLL(None, use_errno=True)
    if asked.only("NoNewPrivileges") == "yes":
        assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if asked.only("MemoryDenyWriteExecute") == "yes":
        assert libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0
    seccomp = ctypes.CDLL(find_library("seccomp") or "libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    calls = allowed(asked.service["SystemCallFilter"]) - {"socket"}
    families = [getattr(socket, name) for name in asked.only("RestrictAddressFamilies").split()]
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO | EPERM)))
    for name in calls:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number != -1:  # one of another processor
            seccomp.seccomp_rule_add(rules, ctypes.c_uint32(ALLOW), number, 0)
    socket_call = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in families:
        assert not seccomp.seccomp_rule_add_array(
            rules,
            ctypes.c_uint32(ALLOW),
            socket_call,
            1,
            ctypes.byref(_Compared(0, EQUAL, family, 0)),
        )
    assert seccomp.seccomp_load(rules) == 0
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
