"""`palaverd user` and `palaverd token`: through the running daemon, else on the database."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from palaver.paths import chosen_data_dir, socket_path
from palaver.wire.access import DEFAULT_SCOPES, SCOPES
from palaverd.cli.exits import EXIT_FAILED

if TYPE_CHECKING:
    import msgspec
    from sqlalchemy import Connection

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


def _where(command: F) -> F:
    """Add the options that select the daemon and the output format."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON value per line."),
        click.option("--socket", type=click.Path(path_type=Path), help="The daemon's Unix socket."),
        click.option("--data-dir", type=click.Path(path_type=Path), help="The data directory."),
    ):
        command = option(command)
    return command


class Lasts(click.ParamType):  # type: ignore[type-arg]
    """A duration in seconds; None for no limit."""

    name = "DURATION"

    def convert(self, value: object, param: object, context: object) -> int | None:
        """Parse 90d, 12h, 30m, 2w, 1y or never."""
        if value is None or value == "never" or isinstance(value, int):
            return value if isinstance(value, int) else None
        found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdwy])", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration. Write it as 90d, 12h, 2w, 1y, or never.")
        return int(found[1]) * _UNITS[found[2]]


@click.group(name="user")
def user_group() -> None:
    """Add, list and disable users. Each sees their own chats only."""


@user_group.command(name="add")
@_where
@click.argument("name")
def add(name: str, data_dir: Path | None, socket: Path | None, as_json: bool) -> None:
    """Add the user NAME, or enable a disabled one again.

    \b
    Example:
      palaverd user add alice
      palaverd token create laptop --user alice
    """
    from palaver.wire.access import NewUser, User
    from palaverd.store.access import add_user

    user = _ask(
        (data_dir, socket),
        ("POST", "/users", User, NewUser(name)),
        lambda c, now: add_user(c, name, now),
    )
    _say(user, as_json, f"added {user.name}")


@user_group.command(name="list")
@_where
def list_all_users(data_dir: Path | None, socket: Path | None, as_json: bool) -> None:
    """List the users. local is anyone with access to the daemon's Unix socket."""
    from palaver.wire.access import Users
    from palaverd.store.access import list_users

    found = _ask(
        (data_dir, socket), ("GET", "/users", Users, None), lambda c, _: Users(list_users(c))
    )
    rows = [
        (user.name, _day(user.created_at), "disabled" if user.disabled_at else "")
        for user in found.users
    ]
    _list(found.users, as_json, ("NAME", "ADDED", ""), rows)


@user_group.command(name="disable")
@_where
@click.argument("name")
def disable(name: str, data_dir: Path | None, socket: Path | None, as_json: bool) -> None:
    """Disable the user NAME, at once. Their chats stay."""
    from palaver.wire.access import User
    from palaverd.store.access import disable_user

    user = _ask(
        (data_dir, socket),
        ("POST", f"/users/{_quoted(name)}/disable", User, None),
        lambda c, now: disable_user(c, name, now),
    )
    _say(user, as_json, f"disabled {user.name}")


@click.group(name="token")
def token_group() -> None:
    """Create, list and revoke tokens, for clients on other machines."""


@token_group.command(name="create")
@_where
@click.argument("name")
@click.option("--user", default="local", show_default=True, help="Whose chats it sees.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=DEFAULT_SCOPES,
    show_default=True,
    help="What it may do: look, change chats, look after the daemon. Can be repeated.",
)
@click.option(
    "--expires", type=Lasts(), default="90d", show_default=True, help="12h, 90d, 1y or never."
)
def create(
    name: str,
    user: str,
    scopes: tuple[Any, ...],
    expires: int | None,
    data_dir: Path | None,
    socket: Path | None,
    as_json: bool,
) -> None:
    """Create a token and show it, only once. NAME is its purpose.

    \b
    Examples:
      palaverd token create laptop
      palaverd token create prometheus --scope read --expires never
      palaverd token create phone --user alice --expires 30d
    """
    from palaver.wire.access import MadeToken, NewToken
    from palaverd.store.access import make_token

    new = NewToken(name=name, user=user, scopes=list(scopes), expires_seconds=expires)
    made = _ask(
        (data_dir, socket),
        ("POST", "/tokens", MadeToken, new),
        lambda c, now: make_token(c, new, now),
    )
    token = made.token
    until = f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "until it is revoked"
    click.echo(
        f"Token {token.id} of {token.user} may {', '.join(token.scopes)}, {until}. "
        "It is shown this once:",
        err=True,
    )
    _say(made, as_json, made.secret)


@token_group.command(name="list")
@_where
def list_all_tokens(data_dir: Path | None, socket: Path | None, as_json: bool) -> None:
    """List the tokens, newest first. Their secrets are kept nowhere."""
    from palaver.wire.access import Tokens
    from palaverd.store.access import list_tokens

    found = _ask(
        (data_dir, socket), ("GET", "/tokens", Tokens, None), lambda c, _: Tokens(list_tokens(c))
    )
    rows = [
        (
            token.id,
            token.name,
            token.user,
            ",".join(token.scopes),
            "revoked" if token.revoked_at else _day(token.expires_at) or "never",
            _minute(token.last_used_at) or "never",
        )
        for token in found.tokens
    ]
    _list(found.tokens, as_json, ("ID", "NAME", "USER", "SCOPES", "ENDS", "LAST USED"), rows)


@token_group.command(name="revoke")
@_where
@click.argument("token_id", metavar="ID")
def revoke(token_id: str, data_dir: Path | None, socket: Path | None, as_json: bool) -> None:
    """Revoke the token ID, at once: its open connections are closed."""
    from palaver.wire.access import Token
    from palaverd.store.access import PREFIX, revoke_token

    if token_id.startswith(f"{PREFIX}_"):
        # Accepting it would encourage putting secrets on command lines and into shell histories.
        click.echo(
            "palaverd: That is a whole token, which belongs on no command line. Name its id, the "
            "part between the first two underscores.",
            err=True,
        )
        sys.exit(EXIT_FAILED)
    token = _ask(
        (data_dir, socket),
        ("DELETE", f"/tokens/{_quoted(token_id)}", Token, None),
        lambda c, now: revoke_token(c, token_id, now),
    )
    _say(token, as_json, f"revoked {token.id} ({token.name})")


def _ask(
    places: tuple[Path | None, Path | None],
    request: tuple[str, str, type[T], msgspec.Struct | None],
    work: Callable[[Connection, int], T],
) -> T:
    """Send `request` to the daemon of a data directory; if none runs, do `work` on its database.

    On an error, print one sentence and exit.
    """
    from palaver.client.errors import PalaverError
    from palaver.paths import NowhereError
    from palaverd.datadir import StartError
    from palaverd.store.access import AccessError
    from palaverd.store.database import DatabaseError

    try:
        data_dir = chosen_data_dir(places[0])
        return asyncio.run(_asked(data_dir, places[1] or socket_path(data_dir), request, work))
    except (PalaverError, NowhereError, StartError, AccessError, DatabaseError) as error:
        click.echo(f"palaverd: {error}", err=True)
        sys.exit(EXIT_FAILED)


async def _asked(
    data_dir: Path,
    socket: Path,
    request: tuple[str, str, type[T], msgspec.Struct | None],
    work: Callable[[Connection, int], T],
) -> T:
    from palaver.client.endpoint import API, Endpoint
    from palaver.client.errors import Unreachable
    from palaver.client.transport import Transport
    from palaver.clock import SystemClock

    method, path, kind, body = request
    transport = Transport(Endpoint(socket=socket), SystemClock())
    try:
        return await transport.request(method, API + path, kind, body=body)
    except Unreachable:
        return await _done(data_dir, work)
    finally:
        await transport.close()


async def _done(data_dir: Path, work: Callable[[Connection, int], T]) -> T:
    """Do `work` on the database, with the data directory locked against a daemon."""
    from palaver.clock import SystemClock
    from palaverd.datadir import DataDir
    from palaverd.store.access import LOCAL_OWNER, ensure_user
    from palaverd.store.backup import backup_before
    from palaverd.store.codec import to_ms
    from palaverd.store.migrate import HEAD, migrate
    from palaverd.store.sqlite import SqliteDatabase

    clock = SystemClock()
    now = to_ms(clock.now())

    def both(connection: Connection) -> T:
        ensure_user(connection, LOCAL_OWNER, now)
        return work(connection, now)

    directory = DataDir(data_dir)
    await asyncio.to_thread(directory.acquire)
    database = SqliteDatabase(directory.database, clock)
    try:
        await asyncio.to_thread(backup_before, directory.database, HEAD, clock.now())
        await database.open(migrate)
        return await database.write(both)
    finally:
        await database.close()
        directory.release()


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _say(value: msgspec.Struct, as_json: bool, said: str) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value) if as_json else said)


def _list(
    values: Sequence[Any], as_json: bool, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    import msgspec

    if as_json:
        for value in values:
            click.echo(msgspec.json.encode(value))
        return
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d}" if moment else ""


def _minute(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else ""
