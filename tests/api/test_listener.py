"""TCP and TLS: addresses, certificates, refusals, and unauthenticated clients."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from api.test_connections import HALF_A_HEAD, MOST, Raw
from palaver.client import Client, Endpoint, Unreachable
from palaver.wire.errors import Problem
from palaverd.api.limits import HEAD_S
from palaverd.config.addresses import BadListenError, ListenAddress, listen_address
from palaverd.config.types import ServerConfig, WorkerConfig
from palaverd.daemon import Daemon
from palaverd.datadir import StartError
from palaverd.tcp_sockets import bind_all
from palaverd.tls import LOOK_S, CertificateError, Files
from support.certificates import Authority
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config

HERE = ListenAddress("127.0.0.1", 0)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Served:
    """A daemon that listens with TLS, on a clock that the test advances."""

    def __init__(self, daemon: Daemon, clock: ManualClock, authority: Authority) -> None:
        self.daemon, self.clock, self.authority = daemon, clock, authority
        self.trusting = ssl.create_default_context(cafile=str(authority.file))
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def port(self) -> int:
        return self.daemon.listening[0].port

    async def raw(self, said: bytes = b"", *, tls: ssl.SSLContext | None = None) -> Raw:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls)
        self._writers.append(writer)
        made = Raw(reader, writer)
        made.say(said)
        return made

    async def health(self) -> int:
        status, _ = await (await self.raw(HEALTH, tls=self.trusting)).answer()
        return status

    async def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def served(
    files: Callable[[Authority], tuple[Path, Path]] = Authority.issue,
) -> AsyncIterator[Served]:
    clock = ManualClock()
    async with short_dir() as folder:
        authority = Authority(folder)
        certificate, key = files(authority)
        config = simulator_config(
            "http://127.0.0.1:1",
            worker=WorkerConfig(enabled=False),
            server=ServerConfig(tls_cert=str(certificate), tls_key=str(key)),
        )
        daemon = make_daemon(folder, config, clock, connections=MOST, listen=[HERE])
        await daemon.start()
        one = Served(daemon, clock, authority)
        try:
            yield one
        finally:
            await one.close()
            await daemon.stop()


# --- addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:7777", "127.0.0.1", 7777, True),
        ("127.8.8.8:1", "127.8.8.8", 1, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:7777", "::1", 7777, True),
        ("[::]:7777", "::", 7777, False),
        ("0.0.0.0:65535", "0.0.0.0", 65535, False),
        ("box.lan:7777", "box.lan", 7777, False),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int, loopback: bool) -> None:
    address = listen_address(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7777", "has no port"),
        ("box", "has no port"),
        ("box:", "has no port"),
        ("box:http", "has no port"),
        ("box:-1", "has no port"),
        ("box:٣", "has no port"),
        ("box:65536", "no port 65536"),
        (":7777", "0.0.0.0:7777"),
        ("*:7777", "[::]:7777"),
        ("::1:7777", "in brackets"),
        ("[127.0.0.1]:7777", "no IPv6 address"),
        ("[box]:7777", "no IPv6 address"),
        ("http://box:7777", "a URL or a path"),
        ("/run/palaver.sock:1", "a URL or a path"),
        ("b x:7777", "is no host"),
        ("b\x1b[1mx:7777", "is no host"),
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be_one(text: str, said: str) -> None:
    with pytest.raises(BadListenError, match=said.replace("[", r"\[")) as refused:
        listen_address(text)
    assert str(refused.value).endswith(".")


def bound(address: str, **how: bool) -> list[socket.socket]:
    wanted = {"encrypted": False, "allow_plaintext": False} | how
    return bind_all([listen_address(address)], **wanted)


def test_others_are_served_with_a_certificate_or_by_somebodys_word() -> None:
    with pytest.raises(StartError, match=r"others could read along.*--allow-plaintext"):
        bound("0.0.0.0:0")
    for allowed in ("encrypted", "allow_plaintext"):
        for made in bound("0.0.0.0:0", **{allowed: True}):
            made.close()
    for made in bound("127.0.0.1:0"):
        made.close()


def test_a_name_is_served_on_all_of_its_addresses_and_one_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, 0, 0, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    one, other = bound("box:0")
    assert one.getsockname()[0] != other.getsockname()[0]
    assert one.getsockname()[1] == other.getsockname()[1]
    one.close()
    other.close()


def test_a_name_that_leads_elsewhere_than_it_looks_is_judged_by_where_it_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, 0, 0, "", ("0.0.0.0", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(StartError, match="others could read along"):
        bound("localhost:0")


def test_a_port_that_cannot_be_had_is_one_sentence() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(StartError, match="The port is taken"):
        bound(f"127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(StartError, match="no such address"):
        bound("192.0.2.1:0", encrypted=True)


# --- certificates ---------------------------------------------------------------------------


def broken(what: str, authority: Authority) -> tuple[Path, Path]:
    """Return a certificate and a key of which one is broken."""
    certificate, key = authority.issue()
    match what:
        case "no certificate":
            certificate.unlink()
        case "no key":
            key.unlink()
        case "not a certificate":
            certificate.write_text("hello")
        case "not a key":
            key.write_text("hello")
        case "half a certificate":
            certificate.write_bytes(certificate.read_bytes()[:200])
        case "the key of another one":
            key = authority.issue(called="other")[1]
        case "an encrypted key":
            from cryptography.hazmat.primitives import serialization as form

            opened = form.load_pem_private_key(key.read_bytes(), None)
            how = form.BestAvailableEncryption(b"secret")
            key.write_bytes(opened.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, how))
    return certificate, key


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no certificate", "There is no certificate at"),
        ("no key", "There is no key at"),
        ("not a certificate", "is no certificate: it is to be PEM"),
        ("not a key", "is no key: it is to be PEM"),
        ("half a certificate", "cannot be used"),
        ("the key of another one", "is not the one of the certificate"),
        ("an encrypted key", "is encrypted, and nobody is there to type its password"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_one_sentence(
    what: str, said: str, tmp_path: Path
) -> None:
    files = Files(*broken(what, Authority(tmp_path)))
    with pytest.raises(CertificateError, match=said) as refused:
        files.read()
    assert "secret" not in str(refused.value)


def test_a_key_that_others_may_read_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = Authority(tmp_path).issue()
    Files(certificate, key).read()
    assert "readable" not in capsys.readouterr().out
    key.chmod(0o644)
    Files(certificate, key).read()
    assert "key readable by others" in capsys.readouterr().out


def serial(port: int, trusting: ssl.SSLContext) -> int:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        shown = wrapped.getpeercert()
        assert shown is not None
        return int(str(shown["serialNumber"]), 16)


async def test_a_renewed_certificate_is_served_and_a_broken_one_is_not(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served() as one:

        async def shown() -> int:
            return await asyncio.to_thread(serial, one.port, one.trusting)

        async def looked(times: int) -> None:
            for _ in range(times):
                await until(lambda: any(0 < wait <= LOOK_S for wait in one.clock.waits()))
                one.clock.advance(LOOK_S)
                await asyncio.sleep(0.05)  # a thread looks

        first = await shown()
        folder = one.authority.folder
        one.authority.issue(called="new")
        (folder / "new.pem").replace(folder / "server.pem")
        await looked(3)  # the certificate without its key: the previous pair stays in use
        assert "certificate refused" in capsys.readouterr().out
        assert await shown() == first
        (folder / "new.key").replace(folder / "server.key")
        await looked(3)
        second = await shown()
        assert second != first
        (folder / "server.key").write_text("broken")
        await one.daemon._certificate.read_again()  # type: ignore[union-attr]  # SIGHUP does
        assert "is no key" in capsys.readouterr().out
        assert await shown() == second


# --- connections ----------------------------------------------------------------------------


async def test_a_client_that_knows_the_ca_is_served_and_no_other() -> None:
    async with served() as one:
        assert await one.health() == 200
        base = f"https://127.0.0.1:{one.port}"
        async with Client(Endpoint(base=base)) as stranger:
            with pytest.raises(Unreachable):
                await stranger.health()
        async with Client(Endpoint(base=base, ca_file=one.authority.file)) as knows:
            await knows.health()


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_old_versions_of_tls_are_not_spoken(version: str) -> None:
    async with served() as one:
        with pytest.warns(DeprecationWarning, match="TLS"):
            one.trusting.minimum_version = one.trusting.maximum_version = ssl.TLSVersion[version]
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await one.raw(tls=one.trusting)
        one.trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        one.trusting.minimum_version = ssl.TLSVersion.TLSv1_2
        assert await one.health() == 200


async def test_plain_http_on_the_port_of_tls_is_told_so() -> None:
    async with served() as one:
        status, body = await (await one.raw(HEALTH)).answer()
        said = msgspec.json.decode(body, type=Problem)
        assert (status, said.code) == (400, "tls_wanted")
        assert "https://" in said.detail
        assert await one.health() == 200


CLIENT_HELLO_BEGUN = bytes.fromhex("160301020001000100")  # of 512 bytes: four
NONSENSE = {
    "half a handshake, and gone": CLIENT_HELLO_BEGUN,
    "a record of nothing": b"\x16\x03\x01\x00\x05hello",
    "noise": b"\x16" + bytes(range(256)) * 4,
    "nothing, and gone": b"",
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
async def test_a_handshake_that_fails_is_one_line_for_debugging(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines:
        async with served() as one:
            raw = await one.raw(said)
            if said in {CLIENT_HELLO_BEGUN, b""}:
                await raw.close()
            await until(lambda: any(line["event"] == "handshake failed" for line in lines))
            await until(lambda: len(one.daemon.connections) == 0)
            assert await one.health() == 200
    assert caplog.records == []
    told = [line for line in lines if line["event"] != "ready"]
    assert [line["log_level"] for line in told] == ["debug"]
    assert told[0]["error"]


SILENT = {"no byte": b"", "half a handshake": CLIENT_HELLO_BEGUN}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
async def test_a_handshake_is_over_in_time_or_cut_off(said: bytes) -> None:
    async with served() as one:
        raw = await one.raw(said)
        await until(lambda: len(one.daemon.connections) == 1)
        one.clock.advance(HEAD_S - 1)
        assert raw.is_open()
        one.clock.advance(1)
        assert await raw.is_cut()
        assert len(one.daemon.connections) == 0


async def test_the_time_of_a_handshake_and_of_the_first_request_is_one() -> None:
    async with served() as one:
        raw = await one.raw(tls=one.trusting)
        raw.say(HALF_A_HEAD)
        one.clock.advance(HEAD_S)
        assert await raw.is_cut()


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
async def test_handshakes_that_are_not_finished_make_room_for_who_speaks(said: bytes) -> None:
    """No deadline passes here: the longest waiting are closed, on both listeners of the daemon."""
    async with served() as one:
        for _ in range(3 * MOST):
            await one.raw(said)
        await until(lambda: len(one.daemon.connections) == MOST)
        assert await one.health() == 200
        async with Client(Endpoint(socket=one.daemon.socket)) as client:
            await client.health()
        assert len(one.daemon.connections) <= MOST


async def test_a_shutdown_does_not_wait_for_half_done_handshakes() -> None:
    async with served() as one:
        raws = [await one.raw(said) for said in SILENT.values()]
        raws.append(await one.raw(HALF_A_HEAD, tls=one.trusting))
        await until(lambda: len(one.daemon.connections) == 3)
        await one.daemon.stop()
        assert len(one.daemon.connections) == 0
        assert all([await raw.is_cut() for raw in raws])
        await one.daemon.start()  # its ports and its data are free again


async def test_a_daemon_may_do_without_its_unix_socket() -> None:
    async with short_dir() as folder:
        config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
        daemon = make_daemon(folder, config, socket=None, listen=[HERE])
        await daemon.start()
        try:
            assert [path.name for path in folder.iterdir() if path.is_socket()] == []
            base = f"http://127.0.0.1:{daemon.listening[0].port}"
            async with Client(Endpoint(base=base)) as client:
                await client.health()
        finally:
            await daemon.stop()
