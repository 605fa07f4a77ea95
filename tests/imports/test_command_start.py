"""What a command loads: no certificates, which nothing at a Unix socket needs."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from support.fresh import output_of

pytestmark = pytest.mark.process

# Runs a command, and prints how many certificates aiohttp's own contexts trust.
COMMAND = """
import sys
from palaver.cli.main import main
sys.argv = ["palaver", "--socket", "/nowhere", "ls"]
try:
    main()
except SystemExit as left:
    assert left.code
import aiohttp.connector as own
contexts = own._SSL_CONTEXT_VERIFIED, own._SSL_CONTEXT_UNVERIFIED
print(*[context.cert_store_stats()["x509"] for context in contexts])
"""
LIBRARY = """
from palaver.client import Client
import aiohttp.connector as own
print(own._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509"])
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment that names one certificate."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return {"SSL_CERT_FILE": str(path), "PATH": "", "HOME": str(tmp_path)}


def test_a_command_reads_no_certificates(environ: dict[str, str]) -> None:
    assert output_of(COMMAND, environ=environ).split() == ["0", "0"]


def test_a_program_that_uses_the_library_has_those_of_aiohttp(environ: dict[str, str]) -> None:
    """It may use aiohttp for more than Palaver."""
    assert output_of(LIBRARY, environ=environ).split() == ["1"]
