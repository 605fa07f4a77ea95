"""The checks of a request's Host and Origin, before anything else is read."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from palaverd.api.entrance import Entrance
from palaverd.api.hosts import Arrival, arrive, known
from palaverd.api.problems import BadRequest
from palaverd.config.addresses import listen_address
from palaverd.config.load import ConfigError, parse_config
from palaverd.config.public import BadServerError, network, origin
from palaverd.config.types import Config, ServerConfig
from support.daemon import make_daemon, short_dir

SERVER = ServerConfig(
    public_url="https://Palaver.Example:7777",
    allowed_origins=["https://chat.example"],
    trusted_proxies=["10.1.0.0/16", "::1"],
)
KNOWN = known(SERVER, "box.lan", [listen_address("alias.lan:7777")])
THERE = Entrance("tcp", tls=False, peer="192.0.2.7")
PROXY = Entrance("tcp", tls=False, peer="10.1.2.3")


def arrival(entrance: Entrance = THERE, **headers: str | list[str]) -> Arrival:
    sent: CIMultiDict[str] = CIMultiDict()
    for name, values in headers.items():
        for value in [values] if isinstance(values, str) else values:
            sent.add(name.replace("_", "-"), value)
    return arrive(CIMultiDictProxy(sent), entrance, KNOWN)


def refusal(entrance: Entrance = THERE, **headers: str | list[str]) -> str:
    with pytest.raises(BadRequest) as raised:
        arrival(entrance, **headers)
    assert raised.value.problem.status == 403
    return raised.value.problem.code


GOOD_HOSTS = [
    "localhost",
    "LOCALHOST:80",
    "localhost.",
    "127.0.0.1:7777",
    "[::1]:7777",
    "192.0.2.80",
    "[2001:DB8::0:1]",
    "box",
    "box.lan:1",
    "box.lan.local",
    "alias.lan",
    "palaver.example",
    "PALAVER.example:443",
]
BAD_HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "palaver.example.evil.example",
    "evil.example:7777",
    "",
    "localhost:port",
    "localhost@evil.example",
    "localhost, evil.example",
    "localhost/evil",
    "http://localhost",
    "[::1",
    "127.0.0.1.evil.example",
    "0x7f.1",
]


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_a_name_of_this_daemon_and_any_address_are_let_in(host: str) -> None:
    assert arrival(Host=host).peer == "192.0.2.7"


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_any_other_name_is_refused(host: str) -> None:
    assert refusal(Host=host) == "unknown_host"


def test_a_request_names_its_host_once() -> None:
    assert refusal() == "unknown_host"
    assert refusal(Host=["localhost", "localhost"]) == "unknown_host"


GOOD_PAGES = ["https://chat.example", "https://chat.example:443", "https://CHAT.example"]
BAD_PAGES = [
    "http://chat.example",
    "https://chat.example:444",
    "https://evil.example",
    "https://chat.example.evil.example",
    "https://palaver.example:7777",
    "http://localhost",
    "null",
    "",
    "file://",
]


@pytest.mark.parametrize("page", GOOD_PAGES)
def test_a_page_that_is_named_may_use_it(page: str) -> None:
    assert arrival(Host="box", Origin=page).host == "box"


@pytest.mark.parametrize("page", BAD_PAGES)
def test_no_other_page_may_not_even_one_of_this_machine(page: str) -> None:
    assert refusal(Host="box", Origin=page) == "unknown_origin"


def test_a_request_comes_from_one_page() -> None:
    assert refusal(Host="box", Origin=GOOD_PAGES[:2]) == "unknown_origin"


def test_what_a_stranger_sent_is_shown_short_and_in_one_line() -> None:
    with pytest.raises(BadRequest) as raised:
        arrival(Host="x\x1b[31m" + "y" * 5000)
    assert "\x1b" not in raised.value.problem.detail
    assert len(raised.value.problem.detail) < 400


def test_a_proxy_that_is_trusted_says_who_came_and_how() -> None:
    said = {"X_Forwarded_Host": "palaver.example", "X_Forwarded_Proto": "https"}
    found = arrival(PROXY, Host="upstream", X_Forwarded_For="198.51.100.4", **said)
    assert found == Arrival("palaver.example", "198.51.100.4", tls=True)
    assert refusal(PROXY, Host="box", X_Forwarded_Host="evil.example") == "unknown_host"


def test_nobody_else_is_believed() -> None:
    said = {"X_Forwarded_Host": "palaver.example", "X_Forwarded_Proto": "https"}
    assert refusal(THERE, Host="upstream", **said) == "unknown_host"
    found = arrival(THERE, Host="box", X_Forwarded_For="198.51.100.4", **said)
    assert found == Arrival("box", "192.0.2.7", tls=False)
    assert arrival(Entrance("unix"), Host="localhost", X_Forwarded_For="10.1.0.1").peer == ""


@pytest.mark.parametrize(
    ("chain", "peer"),
    [
        ("198.51.100.4", "198.51.100.4"),
        # A client's own entries stand before the one of the first trusted proxy.
        ("1.2.3.4, 198.51.100.4", "198.51.100.4"),
        ("198.51.100.4, 10.1.9.9", "198.51.100.4"),
        (["198.51.100.4", "10.1.9.9"], "198.51.100.4"),
        ("unknown, 10.1.9.9", "10.1.9.9"),
        ("nonsense", "10.1.2.3"),
        ("", "10.1.2.3"),
        ("[2001:db8::5]", "2001:db8::5"),
    ],
)
def test_of_a_chain_of_proxies_the_last_stranger_counts(chain: str | list[str], peer: str) -> None:
    assert arrival(PROXY, Host="box", X_Forwarded_For=chain).peer == peer


def test_an_ipv4_address_on_an_ipv6_port_is_the_same_proxy() -> None:
    mapped = Entrance("tcp", tls=False, peer="::ffff:10.1.2.3")
    assert arrival(mapped, Host="box", X_Forwarded_For="198.51.100.4").peer == "198.51.100.4"


@pytest.mark.parametrize(
    "text",
    ["palaver.example", "ftp://x", "https://", "https://x/chat", "https://u:p@x", "https://x:y"],
)
def test_what_is_no_origin_is_told(text: str) -> None:
    with pytest.raises(BadServerError, match=r"https://HOST|root of a host"):
        origin(text)


@pytest.mark.parametrize("text", ["everyone", "10.0.0.0/33", "10.0.0.1/8", ""])
def test_what_is_no_network_is_told(text: str) -> None:
    with pytest.raises(BadServerError, match=re.escape("10.0.0.0/8")):
        network(text)


def test_a_configuration_names_the_key_that_is_wrong() -> None:
    for key in ("public_url", "allowed_origins", "trusted_proxies"):
        value = '"nonsense!"' if key == "public_url" else '["nonsense!"]'
        with pytest.raises(ConfigError, match=f"server.{key}"):
            parse_config(f"[server]\n{key} = {value}\n", "config.toml")


# --- on every route ---------------------------------------------------------------------------

# Without any the HTTP library refuses it, with 400.
HOSTS = {"localhost": True, "palaver.example": True, "evil.example": False}
PAGES = {None: True, "https://chat.example": True, "https://evil.example": False, "null": False}
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def asked(
    open_connection: Callable[[], Awaitable[Streams]],
    method: str,
    path: str,
    host: str,
    page: str | None,
) -> tuple[int, str]:
    """Send a request whose body never comes; return the status and problem code."""
    reader, writer = await open_connection()
    head = f"{method} {path} HTTP/1.1\r\nContent-Length: 10\r\n"
    if path.endswith(("/stream", "/watch")):
        head = f"{method} {path} HTTP/1.1\r\n{UPGRADE}"
    head += f"Host: {host}\r\n"
    head += f"Origin: {page}\r\n" if page else ""
    writer.write(f"{head}\r\n".encode())
    try:
        status = int((await reader.readline()).split()[1])
        length = 0
        while (line := await reader.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await reader.readexactly(length) if status >= 400 and method != "HEAD" else b"{}"
        return status, msgspec.json.decode(body).get("code", "")
    finally:
        writer.transport.abort()


async def test_every_route_looks_first_for_which_host_and_from_which_page() -> None:
    server = msgspec.structs.replace(SERVER, trusted_proxies=[])
    async with short_dir() as folder:
        daemon = make_daemon(folder, Config(server=server), listen=[listen_address("127.0.0.1:0")])
        await daemon.start()
        try:
            (tcp,) = daemon.listening

            def by_tcp() -> Awaitable[Streams]:
                return asyncio.open_connection(tcp.host, tcp.port)

            def by_socket() -> Awaitable[Streams]:
                return asyncio.open_unix_connection(daemon.socket)

            assert daemon._runner is not None
            routes = {
                (route.method, route.resource.canonical)
                for route in daemon._runner.app.router.routes()
                if route.resource is not None
            } | {("GET", "/nowhere"), ("PUT", "/healthz")}
            outcomes: Counter[str] = Counter()
            for (method, path), host, page, way in itertools.product(
                sorted(routes), HOSTS, PAGES, (by_tcp, by_socket)
            ):
                if HOSTS[host] and PAGES[page] and method in {"POST", "PATCH", "PUT", "DELETE"}:
                    continue  # it would wait for the body
                status, code = await asked(
                    way, method, path.replace("{", "").replace("}", ""), host, page
                )
                if HOSTS[host] and PAGES[page]:
                    assert code not in {"unknown_host", "unknown_origin"}, (method, path)
                    outcomes["in"] += 1
                else:
                    expected = "unknown_origin" if HOSTS[host] else "unknown_host"
                    told = (403, "" if method == "HEAD" else expected)
                    assert (status, code) == told, (method, path, host, page)
                    outcomes["out"] += 1
            assert outcomes["out"] == len(routes) * 8 * 2
            assert outcomes["in"] > 50
        finally:
            await daemon.stop()
