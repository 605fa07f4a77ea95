"""`palaver login` and `palaver logout`: store and delete the token of a server."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from palaver.cli import exits, words
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.remote.address import Web
    from palaver.remote.servers import Server

# Characters of standard input to read: a token with surrounding white space.
MOST: Final = 4096


@click.command(
    short_help="Store the token of a server, and check it.",
    epilog="""\b
Examples:
  palaver login https://box:7777
  palaver login https://box:7777 --ca-file ca.pem
  pass show box | palaver login box             # a name of client.toml
""",
)
@click.argument("address", metavar="[SERVER]", required=False)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The CA (PEM) of the server, if it is a private one.",
)
@click.pass_obj
def login(settings: Settings, address: str | None, ca_file: str | None) -> None:
    """Store your token for a server, after checking it there.

    It is read from the terminal without echo, or from standard input if that is piped; on the
    server,  palaverd token create NAME  creates one. It is stored in the desktop's keyring if one
    works, else in a file that only you can read, and sent to this server only.
    """
    run_async(_login(settings, address, ca_file))


async def _login(settings: Settings, address: str | None, ca_file: str | None) -> int:
    import asyncio

    from palaver.client import Client, Endpoint, Refused
    from palaver.client.errors import PalaverError, Unauthenticated
    from palaver.remote.endpoints import tokens
    from palaver.remote.token_store import checked

    server, web = _named(settings, address, ca_file)
    if web.warning is not None:
        words.notice(web.warning)
    token = checked(_given(web))
    endpoint = Endpoint(str(web), token=token, ca_file=server.ca_file)
    async with Client(endpoint) as client:
        try:
            info = await client.info()
        except Unauthenticated as refused:
            raise PalaverError(
                f"{web} does not accept this token: {Refused(refused.problem)} Nothing was stored."
            ) from refused
    kept = await asyncio.to_thread(tokens().store, web, token)
    who = f" as {words.visible(info.user)}" if info.user else ""
    if kept.where == "keyring":
        words.notice(f"{web} lets you in{who}. The token is in the keyring.")
    else:
        path = tokens().path(web)
        words.notice(f"{web} lets you in{who}. The token is in {path}, which only you can read.")
        words.notice(f"It is not in the keyring: {kept.why}.")
    return exits.FINISHED


def _given(web: Web) -> str:
    """Return the token that was typed without echo, or piped in."""
    if sys.stdin is None or not sys.stdin.isatty():
        return sys.stdin.read(MOST) if sys.stdin is not None else ""
    prompt = f"Token for {web}"
    typed: str = click.prompt(prompt, hide_input=True, err=True, default="", show_default=False)
    return typed


@click.command(epilog="\b\nExample:\n  palaver logout https://box:7777\n")
@click.argument("address", metavar="[SERVER]", required=False)
@click.pass_obj
def logout(settings: Settings, address: str | None) -> None:
    """Forget the token of a server. It stays valid there until it is revoked."""
    run_async(_logout(settings, address))


async def _logout(settings: Settings, address: str | None) -> int:
    import asyncio

    from palaver.remote.endpoints import tokens

    _, web = _named(settings, address)
    if await asyncio.to_thread(tokens().forget, web):
        words.notice(
            f"The token for {web} is forgotten here. It stays valid until  palaverd token revoke"
            "  ends it there."
        )
    else:
        words.notice(f"No token is stored for {web}.")
    return exits.FINISHED


def _named(
    settings: Settings, address: str | None, ca_file: str | None = None
) -> tuple[Server, Web]:
    """Return the selected server, which must be one that requires a token."""
    from pathlib import Path

    from msgspec import structs

    from palaver.client.errors import PalaverError
    from palaver.remote.address import Web
    from palaver.remote.servers import Wanted

    wanted = settings.wanted
    if address is not None:
        wanted = structs.replace(wanted or Wanted(""), address=address, source="login")
    if wanted is None or not wanted.address:
        raise click.UsageError("Which server? Name one, as in  palaver login https://box:7777")
    if ca_file is not None:
        wanted = structs.replace(wanted, ca_file=Path(ca_file).absolute())
    server = replace(settings, wanted=wanted).server
    if server is None or not isinstance(server.place, Web):
        place = "The daemon on this machine" if server is None else server.place
        raise PalaverError(f"{place} wants no token: who may use it is decided before.")
    return server, server.place
