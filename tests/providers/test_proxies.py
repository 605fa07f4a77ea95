"""Calls with a proxy and certificates from the environment, and the messages about them.

Real SDKs on real sockets: the provider's own name leads nowhere, the proxy is on this machine.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from palaver.wire.errors import ChatError
from palaverd.providers.certificates import problem, trusted_context
from palaverd.providers.proxies import Proxy, proxy_for
from palaverd.simulator import Simulator
from providers.calling import Kind, call, made
from support.raw_server import http, raw_server, socks_proxy

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def failing(kind: Kind, url: str) -> ChatError:
    from palaverd.failures import ProviderFailure

    try:
        async with made(kind, url) as provider:
            error = (await call(provider, "hi")).error
    except ProviderFailure as failure:  # a client that could not be created
        error = failure.error
    assert error is not None
    assert "hunter2secret" not in str(error)
    return error


async def test_a_proxy_that_wants_a_password_is_named(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = http(407, "<html>", "Proxy-Authenticate: Basic", kind="text/html")
    async with raw_server(refusal) as proxy:
        address = f"127.0.0.1:{proxy.port}"
        for name, url in (("http_proxy", "http://model.test"), ("https_proxy", "https://m.test")):
            monkeypatch.setenv(name, f"http://me:hunter2secret@{address}")
            error = await failing(kind, url)
            assert (error.kind, error.retryable) == ("config", False)
            assert f"The proxy http://{address} wants a user and a password" in error.message
            assert name in error.message
        assert [r.split(b" ")[0] for r in proxy.requests] == [b"POST", b"CONNECT"]


async def test_a_proxy_that_refuses_is_named(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(http(403, "<html>blocked", kind="text/html")) as proxy:
        for name, url in (("HTTP_PROXY", "http://model.test"), ("all_proxy", "https://model.test")):
            monkeypatch.setenv(name, f"127.0.0.1:{proxy.port}")
            error = await failing(kind, url)
            assert error.kind == "config"
            assert f"The proxy http://127.0.0.1:{proxy.port} does not let requests" in error.message


async def test_a_proxy_that_reaches_nobody_is_asked_again(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(http(503, "")) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        error = await failing(kind, "https://model.test")
        assert (error.kind, error.retryable) == ("timeout", True)
        assert f"127.0.0.1:{proxy.port} could not reach acme" in error.message


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_is_not_there_is_named(
    kind: Kind, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"{scheme}://127.0.0.1:{free.getsockname()[1]}"
        monkeypatch.setenv("https_proxy", address)
        error = await failing(kind, "https://model.test")
    assert (error.kind, error.retryable) == ("timeout", True)
    assert f"The proxy {address} does not accept connections" in error.message


@pytest.mark.parametrize("scheme", ["socks", "socks5", "SOCKS5", "socks5h"])
async def test_a_call_goes_through_a_socks_proxy(
    kind: Kind, scheme: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(simulator.url.rpartition(":")[2])
    async with socks_proxy(port) as (proxy, asked):
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{proxy}/")
        async with made(kind, "http://model.test") as provider:
            assert (await call(provider, "[[echo]] through")).text == "through"
        assert asked == [b"model.test"]


@pytest.mark.parametrize(
    "url", ["socks4://h:1", "ftp://h", "http://", "http://h:99999", "nonsense://"]
)
async def test_a_proxy_of_another_kind_is_named(
    kind: Kind, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", url)
    error = await failing(kind, "https://model.test")
    assert error.kind == "config"
    assert "it must begin with http, https or socks5. Check ALL_PROXY" in error.message


async def test_this_machine_is_asked_without_a_proxy(
    kind: Kind, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1/")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    async with made(kind, simulator.url) as provider:
        assert (await call(provider, "[[echo]] at home")).text == "at home"


@pytest.mark.parametrize(
    ("excepted", "direct"),
    [
        ("model.test", True),
        (".test", True),
        ("*.test", True),
        ("test", True),
        ("*", True),
        ("other,model.test:8443", True),
        ("model.test:1", False),
        ("odel.test", False),
        ("", False),
    ],
)
def test_hosts_are_excepted_as_everywhere(excepted: str, direct: bool) -> None:
    named = {"https_proxy": "proxy:3128", "HTTPS_PROXY": "another", "NO_PROXY": excepted}
    found = proxy_for("https://model.test:8443/v1", named)
    assert found == (None if direct else Proxy("http://proxy:3128", "https_proxy"))


def test_networks_are_excepted_by_their_numbers() -> None:
    named = {"all_proxy": "proxy:1", "no_proxy": "10.0.0.0/8, fd00::/8"}
    assert proxy_for("http://10.1.2.3/v1", named) is None
    assert proxy_for("http://[fd00::1]/v1", named) is None
    assert proxy_for("http://11.1.2.3/v1", named) is not None


# --- certificates ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_of", "said"),
    [
        (None, "which is not there"),
        ("", "which holds no certificate"),
        ("not a certificate", "which holds no certificate"),
        ("/", "which cannot be read"),
    ],
)
async def test_a_file_of_certificates_that_is_none_is_named(
    kind: Kind, made_of: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ca.pem"
    if made_of == "/":
        path.mkdir()
    elif made_of is not None:
        path.write_text(made_of)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    error = await failing(kind, "https://127.0.0.1:1")
    assert (error.kind, error.retryable) == ("config", False)
    assert f"SSL_CERT_FILE names {path}, {said}" in error.message


@pytest.mark.parametrize(
    ("folder", "said"), [("none", "is not there"), ("empty", "openssl rehash")]
)
async def test_a_folder_of_certificates_that_has_none_is_named(
    kind: Kind, folder: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / folder))
    error = await failing(kind, "https://127.0.0.1:1")
    assert error.kind == "config"
    assert said in error.message


def test_nothing_is_wrong_where_nothing_is_named() -> None:
    assert trusted_context({}) is None
    assert trusted_context({"SSL_CERT_FILE": ""}) is None
    assert problem({}) is None
    assert problem({"SSL_CERT_FILE": "/nowhere"}) == (
        "SSL_CERT_FILE names /nowhere, which is not there."
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a private CA for this machine, under both of its names."""
    folder = tmp_path_factory.mktemp("authority")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=home -addext {names}"
        " -keyout key.pem -out ca.pem && mkdir hashed"
        " && cp ca.pem hashed/$(openssl x509 -hash -noout -in ca.pem).0",
        shell=True,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.parametrize(
    ("variable", "name"), [("SSL_CERT_FILE", "ca.pem"), ("SSL_CERT_DIR", "hashed")]
)
async def test_certificates_of_the_environment_count_on_this_machine_too(
    kind: Kind, variable: str, name: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority / "ca.pem", authority / "key.pem")
    async with raw_server(http(529, '{"error": {"message": "reached"}}'), tls) as server:
        for host in ("localhost", "127.0.0.1"):
            url = f"https://{host}:{server.port}"
            unknown = await failing(kind, url)
            assert (unknown.kind, unknown.retryable) == ("config", False)
            assert "could not be verified" in unknown.message
            assert "SSL_CERT_FILE" in unknown.message
            with monkeypatch.context() as named:
                named.setenv(variable, str(authority / name))
                assert (await failing(kind, url)).status_code == 529


async def test_a_server_without_tls_is_not_asked_for_it(kind: Kind, simulator: Simulator) -> None:
    url = simulator.url.replace("http:", "https:")
    error = await failing(kind, url)
    assert (error.kind, error.retryable) == ("config", False)
    assert "is asked with https where it speaks http" in error.message
    assert url in error.message
