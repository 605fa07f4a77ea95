"""The servers named in `client.toml`, and the selection of one for a command."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from palaver.client.errors import PalaverError
from palaver.misfits import find_misfit, suggestion
from palaver.remote.address import (
    LOCAL,
    NAME,
    BadAddressError,
    Name,
    Place,
    Ssh,
    Unix,
    Web,
    parse,
)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The keys of `[servers.NAME]`. Paths may begin with `~`, or be relative to the file."""

    url: str
    ca_file: str | None = None
    token_file: str | None = None
    remote_command: str | None = None


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of client.toml."""

    servers: dict[str, Entry] = {}


class Server(msgspec.Struct, frozen=True):
    """A daemon and how to reach it. `name` is its name in client.toml, if any.

    `remote_command` is the command for ssh to run there, None for the default.
    """

    place: Place
    name: str | None = None
    ca_file: Path | None = None
    token_file: Path | None = None
    remote_command: str | None = None

    @property
    def asked_for(self) -> str:
        """The value of `--server` for this server."""
        return self.name or str(self.place)

    @property
    def socket(self) -> Path | None:
        """The Unix socket on this machine, None for a daemon elsewhere."""
        return Path(self.place.path).expanduser() if isinstance(self.place, Unix) else None

    @property
    def host(self) -> str | None:
        """The host of the other machine, None for a socket on this one."""
        return None if isinstance(self.place, Unix) else self.place.host

    def there(self, command: str) -> str:
        """Return a sentence that says how to run a command where the daemon is."""
        match self.place:
            case Ssh(host, user, port):
                login = f"{user}@{host}" if user is not None else host
                option = f"-p {port} " if port is not None else ""
                return f"There:  ssh {option}{login} {command}"
            case _:
                return "Whoever runs it there does that."


# The kind of address that each option applies to, by its name in `Entry`.
ONLY: Final[dict[str, type[Web] | type[Ssh]]] = {
    "ca_file": Web,
    "token_file": Web,
    "remote_command": Ssh,
}
_KINDS: Final = {Web: "an https:// address", Ssh: "an ssh:// address"}


class Wanted(msgspec.Struct, frozen=True):
    """The server that a command line or the environment selects; `source` names which."""

    address: str
    source: str = "--server"
    ca_file: Path | None = None
    token_file: Path | None = None
    remote_command: str | None = None


def choose(wanted: Wanted, path: Path) -> Server | None:
    """Return the selected server, None for the daemon of the user's own data directory.

    Options of the client.toml at `path` apply unless `wanted` sets them.

    Raises:
        PalaverError: there is no such server, or an option does not apply to it.
    """
    if not wanted.address:
        raise PalaverError("No --server is given that --ca-file and the like could be about.")
    try:
        address = parse(wanted.address)
    except BadAddressError as error:
        said = "" if wanted.source == "--server" else f" (from {wanted.source})"
        raise PalaverError(f"{error}{said}") from None
    if address == Name(LOCAL):
        return None
    server = _named(address, wanted, path)
    own = {key: getattr(wanted, key) for key in ONLY if getattr(wanted, key) is not None}
    for key in own:
        if not isinstance(server.place, ONLY[key]):
            option = f"--{key.replace('_', '-')}"
            raise PalaverError(f"{option} is for {_KINDS[ONLY[key]]}, and this is {server.place}.")
    return replace(server, **own)


def _named(address: Place | Name, wanted: Wanted, path: Path) -> Server:
    servers = load(path)
    if isinstance(address, Name):
        if address.name in servers:
            return servers[address.name]
        near = suggestion(address.name, servers)
        known = f" It names {', '.join(servers)}." if servers and not near else ""
        raise PalaverError(
            f"{wanted.source} asks for {address.name}, but there is no [servers.{address.name}]"
            f" in {path}.{near}{known}"
            f" An address has a scheme: https://{address.name}  or  ssh://{address.name}."
        )
    # A server's options in the file apply to its address, too.
    return next((one for one in servers.values() if one.place == address), Server(address))


def load(path: Path) -> dict[str, Server]:
    """Return the servers of a client.toml by name; empty if there is no file.

    Raises:
        PalaverError: the file is invalid; the message names file, key and what is allowed.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise PalaverError(f"{path}: cannot be read: {error.strerror or error}.") from None
    return {name: _server(name, entry, path) for name, entry in read(raw, path).servers.items()}


def read(raw: bytes, path: Path) -> File:
    """Parse the bytes of a client.toml. Raises like `load`."""
    try:
        found = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PalaverError(f"{path}: line {line} is not UTF-8. Save the file as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise PalaverError(f"{path}: this is not TOML: {error}.") from None
    unknown = [key for key in found if key not in File.__struct_fields__]
    if unknown:
        near = suggestion(unknown[0], File.__struct_fields__)
        raise PalaverError(f"{path}: there is no key {unknown[0]}.{near} Allowed here: servers.")
    tables = found.get("servers", {})
    if not isinstance(tables, dict):
        raise PalaverError(f"{path}: servers is {tables!r}. It is a table: [servers.NAME].")
    return File({name: _entry(name, table, path) for name, table in tables.items()})


def _entry(name: str, table: Any, path: Path) -> Entry:
    key = f"servers.{name}"
    if not NAME.match(name) or name == LOCAL:
        why = "is the daemon on this machine" if name == LOCAL else "cannot be a name"
        raise PalaverError(
            f"{path}: [{key}]: {name!r} {why}. Allowed: letters, digits, dots, - and _."
        )
    if not isinstance(table, dict):
        raise PalaverError(f'{path}: {key} is {table!r}. It is a table: [{key}] url = "https://…".')
    allowed = Entry.__struct_fields__
    for found in table:
        if found not in allowed:
            raise PalaverError(
                f"{path}: there is no key {key}.{found}.{suggestion(found, allowed)}"
                f" Allowed in [{key}]: {', '.join(allowed)}."
            )
    if "url" not in table:
        raise PalaverError(f'{path}: {key}.url is missing, as in  url = "https://box:7777".')
    try:
        return msgspec.convert(table, Entry)
    except msgspec.ValidationError:
        misfit = find_misfit(table, Entry)
        raise PalaverError(
            f"{path}: {key}.{misfit.path} is wrong: it must be {misfit.wanted}."
        ) from None


def _server(name: str, entry: Entry, path: Path) -> Server:
    key = f"servers.{name}"
    try:
        place = parse(entry.url)
    except BadAddressError as error:
        raise PalaverError(f"{path}: {key}.url: {error}") from None
    if isinstance(place, Name):
        raise PalaverError(
            f"{path}: {key}.url is {entry.url!r}, which has no scheme. Write"
            f"  https://{entry.url}  or  ssh://{entry.url}."
        )
    for field, kind in ONLY.items():
        if getattr(entry, field) is not None and not isinstance(place, kind):
            raise PalaverError(f"{path}: {key}.{field} is for {_KINDS[kind]}, and url is {place}.")
    return Server(
        place,
        name,
        _beside(entry.ca_file, path),
        _beside(entry.token_file, path),
        entry.remote_command,
    )


def _beside(given: str | None, path: Path) -> Path | None:
    return path.parent / Path(given).expanduser() if given is not None else None
