"""Run a program as another version: `python -m support.another VERSION PROTOCOL OLDEST MODULE …`.

The sources are the same; version and protocol differ, as after an upgrade of one side only.
"""

from __future__ import annotations

import runpy
import sys

PROGRAMS = {"palaver", "palaverd"}


def become(version: str, protocol: int, oldest: int) -> None:
    """Set version and protocol before any module has read them.

    A forked process has read its own: it forgets the modules, and they are imported once more.
    """
    for name in list(sys.modules):
        if name.partition(".")[0] in PROGRAMS:
            del sys.modules[name]
    import palaver
    from palaver.wire import protocol as spoken

    palaver.__version__ = version
    spoken.PROTOCOL = protocol  # type: ignore[misc]
    spoken.OLDEST_CLIENT = spoken.OLDEST_DAEMON = oldest  # type: ignore[misc]


if __name__ == "__main__":
    _, version, protocol, oldest, module, *arguments = sys.argv
    become(version, int(protocol), int(oldest))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
