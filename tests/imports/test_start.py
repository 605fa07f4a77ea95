"""What a daemon has loaded after its start: nothing that a start does not need."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from support.fresh import output_of

pytestmark = pytest.mark.process

CONFIG = """\
default_model = "mine"
[providers.anthropic]
kind = "anthropic"
api_key = "key-of-a-test"
[providers.local]
kind = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
[models.mine]
provider = "{provider}"
model = "m"
[models.other]
provider = "{other}"
model = "m"
"""
# Stops a daemon as soon as it has loaded an SDK, and prints what is loaded.
SERVE = """
import os, signal, sys, threading, time
from palaverd.cli import main

sdk, folder = sys.argv[1:]
def stop():
    loading = lambda: any(one.name == "palaverd-sdk" for one in threading.enumerate())
    while f"{sdk}._client" not in sys.modules or loading():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=stop, daemon=True).start()
arguments = ["--data-dir", folder, "--config", f"{folder}/config.toml", "--socket", f"{folder}/s"]
main(["serve", *arguments], standalone_mode=False)
print(*sys.modules)
"""


def loaded(tmp_path: Path, provider: str, sdk: str) -> set[str]:
    """Return the modules of a daemon that is ready to ask `provider`."""
    other = {"anthropic": "local", "local": "anthropic"}[provider]
    (tmp_path / "config.toml").write_text(CONFIG.format(provider=provider, other=other))
    return set(output_of(SERVE, sdk, str(tmp_path)).split())


# Libraries and parts of them, and why a daemon may need them later.
NOT_LOADED = {
    "alembic": "migrations",
    "h2": "dial-stdio, and httpx2's own transports",
    "prometheus_client": "GET /metrics",
    "pygments": "the terminal client",
    "rich": "the terminal client",
    "sqlalchemy.dialects.postgresql": "PostgreSQL",
    "sqlalchemy.orm": "nothing",
    "textual": "the terminal client",
}


@pytest.mark.parametrize(("provider", "sdk"), [("anthropic", "anthropic"), ("local", "openai")])
def test_a_start_loads_only_what_it_needs_and_the_sdk_of_the_default_model(
    tmp_path: Path, provider: str, sdk: str
) -> None:
    loaded(tmp_path, provider, sdk)
    other = {"anthropic": "openai", "openai": "anthropic"}[sdk]
    needless = {*NOT_LOADED, other, f"{sdk}.types.beta", f"{sdk}.resources"}
    # A new database is migrated: what that loads is not part of a later start.
    found = loaded(tmp_path, provider, sdk)
    assert needless & found == set()
    assert len(found) < MOST


# Modules of a start with an SDK, the standard library's included; they were 4,200.
MOST = 1050


SERVER = """
import sys
from palaverd.lean_libraries import import_client, import_libraries
import_libraries()
import palaverd.serve
print("aiohttp.client" in sys.modules)
import_client()
import aiohttp
print(aiohttp.ClientSession is sys.modules["aiohttp.client"].ClientSession, aiohttp.web.Request)
"""


def test_the_http_client_is_loaded_with_a_provider() -> None:
    late, *found = output_of(SERVER).split()
    assert late == "False"
    assert found[0] == "True"


CERTIFICATES = """
import ssl
from palaverd.lean_libraries import import_client, import_libraries
import_libraries()
import_client()
import aiohttp.connector
found = [aiohttp.connector._SSL_CONTEXT_VERIFIED, ssl.create_default_context()]
print(*[context.cert_store_stats()["x509"] > 0 for context in found], found[0].verify_mode.name)
"""


def test_only_contexts_of_aiohttp_are_without_certificates_and_they_trust_nobody(
    tmp_path: Path,
) -> None:
    """They would be read at each start, though the daemon gives each connector a context."""
    environ = {"SSL_CERT_FILE": ssl_certificates(tmp_path), "PATH": ""}
    assert output_of(CERTIFICATES, environ=environ).split() == ["False", "True", "CERT_REQUIRED"]


def ssl_certificates(folder: Path) -> str:
    """Write a CA's certificate; return the path."""
    path = folder / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return str(path)
