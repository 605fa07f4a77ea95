"""Parse `--server`: a Unix socket, a web URL, an ssh URL, or a name of client.toml.

Pure. Error messages never repeat what may be a secret in an address.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

LOCAL: Final = "local"  # the daemon of the user's own data directory
EXAMPLES: Final = "https://box:7777, ssh://you@box, or a name of client.toml"
WEB_PORTS: Final = {"https": 443, "http": 80}
# A name in client.toml: it is a key there, and a word on the command line.
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
# ssh receives these as arguments and expands them in the user's ProxyCommand: they must not be
# options, nor contain characters that are special in a shell.
_SSH_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*\Z")
_SSH_HOST: Final = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*\Z")
_WEB_HOST: Final = re.compile(r"[\w:][\w.:-]*\Z")


class BadAddressError(ValueError):
    """The address cannot be used. The message is a sentence that names what would be right."""


class Unix(msgspec.Struct, frozen=True):
    """A Unix socket on this machine, by its path as given."""

    path: str

    def __str__(self) -> str:
        return self.path


class Web(msgspec.Struct, frozen=True):
    """A daemon on a TCP port, or a proxy in front of it."""

    scheme: str
    host: str
    port: int

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def place(self) -> str:
        """Host and port, as in a Host header: without the default port."""
        host = _bracketed(self.host)
        return host if self.port == WEB_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def warning(self) -> str | None:
        """A sentence about an unencrypted connection, None if it is safe."""
        if self.encrypted or self.loopback:
            return None
        return (
            f"{self} is not encrypted: whoever is in between can read your chats and your token."
            f" Use  https://{self.place}  or  ssh://{_bracketed(self.host)}."
        )

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"


class Ssh(msgspec.Struct, frozen=True):
    """A machine to reach with the user's ssh. What is None, ssh's configuration decides."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user is not None else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"ssh://{user}{_bracketed(self.host)}{port}"


class Name(msgspec.Struct, frozen=True):
    """A name in client.toml, or `local`."""

    name: str

    def __str__(self) -> str:
        return self.name


Place = Unix | Web | Ssh
Address = Place | Name


def parse(text: str) -> Address:
    """Parse an address.

    Raises:
        BadAddressError: it is none.
    """
    text = text.strip()
    if not text:
        raise BadAddressError(f"The server's address is empty. It is one of {EXAMPLES}.")
    if any(ord(character) <= 32 or ord(character) == 127 for character in text):
        raise BadAddressError(f"A server's address has no spaces in it. It is one of {EXAMPLES}.")
    if text.startswith(("/", "~/", "./", "../")):
        return Unix(text)
    if "://" not in text:
        return _name(text)
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme == "unix":
        return Unix(rest)
    if scheme not in ("https", "http", "ssh"):
        raise BadAddressError(f"There is no server at {scheme}://…; it is one of {EXAMPLES}.")
    return _url(scheme, rest)


def _url(scheme: str, rest: str) -> Place:
    if "?" in rest or "#" in rest:
        _refuse(scheme, "has something behind ? or #: a token is never part of it")
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        _refuse(scheme, "has a host or a port that cannot be one")
    if parts.password is not None:
        _refuse(scheme, "has a password in it")
    if not host:
        _refuse(scheme, "has no host")
    if port == 0:
        _refuse(scheme, "has the port 0")
    if parts.path not in ("", "/"):
        _refuse(scheme, f"has a path ({parts.path}), and Palaver answers at the root")
    return _ssh(parts, host, port) if scheme == "ssh" else _web(parts, host, port)


def _name(text: str) -> Name:
    if "@" in text:
        raise BadAddressError("The address has no scheme: is it ssh://… with what you wrote?")
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and NAME.match(host):
        raise BadAddressError(f"The address has no scheme: write  https://{text}.")
    if not NAME.match(text):
        raise BadAddressError(f"{text!r} is no server. It is one of {EXAMPLES}.")
    return Name(text)


def _web(parts: SplitResult, host: str, port: int | None) -> Web:
    if parts.username is not None:
        _refuse(parts.scheme, "has a user in it, and the token says who you are")
    if not _WEB_HOST.match(host):
        _refuse(parts.scheme, "has a host that cannot be one")
    return Web(parts.scheme, host, port if port is not None else WEB_PORTS[parts.scheme])


def _ssh(parts: SplitResult, host: str, port: int | None) -> Ssh:
    # As written: ssh looks it up in its configuration, where case may matter.
    written = parts.netloc.rpartition("@")[2]
    written = written[1:].partition("]")[0] if written[:1] == "[" else written.partition(":")[0]
    if not _SSH_HOST.match(written):
        _refuse("ssh", "has a host that cannot be one")
    if parts.username is not None and not _SSH_USER.match(parts.username):
        _refuse("ssh", "has a user that cannot be one")
    return Ssh(written, parts.username, port)


def _refuse(scheme: str, fault: str) -> NoReturn:
    right = "ssh://user@host[:port]" if scheme == "ssh" else f"{scheme}://host[:port]"
    raise BadAddressError(f"The server's address {fault}. It is  {right}.")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
