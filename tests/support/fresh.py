"""Programs in an interpreter of their own, in which nothing is imported yet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

TIMEOUT_S = 120.0  # a start takes many times as long on a busy machine


def output_of(program: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Run a program, in which warnings are errors, and return what it prints.

    Fails with what it writes to its standard error if it fails, and after `TIMEOUT_S`.
    """
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environ,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
