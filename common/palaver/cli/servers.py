"""`palaver servers`: list the servers in client.toml, and those with a stored token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from palaver.cli import exits, output, words
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings

if TYPE_CHECKING:
    from palaver.remote.token_store import Where


@dataclass(frozen=True)
class Listed:
    """A line of `--json`. `token` is where the token is stored, null for none."""

    address: str
    name: str | None = None
    token: str | None = None


@click.command(
    short_help="List the servers that client.toml names.",
    epilog="""\b
Examples:
  palaver servers
  palaver --server box ls

\b
A name is a section of client.toml, beside config.toml:
  [servers.box]
  url = "https://box:7777"         # or ssh://you@box
  ca_file = "box-ca.pem"           # where its CA is a private one
  token_file = "box.token"         # instead of  palaver login box
  remote_command = "~/bin/palaverd"   # for ssh://, where it is not on the path
""",
)
@click.option("--json", "as_json", is_flag=True, help="Print each server as one line of JSON.")
@click.pass_obj
def servers(settings: Settings, as_json: bool) -> None:
    """List the servers that client.toml names, and those that you are logged in to."""
    run_async(_servers(as_json=as_json))


async def _servers(*, as_json: bool) -> int:
    import asyncio

    from palaver.paths import client_config_path

    listed = await asyncio.to_thread(known)
    for one in listed:
        if as_json:
            output.write_json(one)
        else:
            token = f"  token in the {one.token}" if one.token else ""
            output.write_line(f"{one.name or '-':<12}  {one.address}{token}")
    if not listed and not as_json:
        words.notice(f"None is named in {client_config_path()}, and none was logged in to.")
    return exits.FINISHED


def known() -> list[Listed]:
    """Return the servers of client.toml, then others with a token. Raises `PalaverError`."""
    from palaver.paths import client_config_path
    from palaver.remote.endpoints import tokens
    from palaver.remote.servers import load

    where: dict[str, Where] = {str(kept.server): kept.where for kept in tokens().kept()}
    found = []
    for name, server in load(client_config_path()).items():
        address = str(server.place)
        own = "file" if server.token_file is not None else where.get(address)
        found.append(Listed(address, name, own))
    named = {one.address for one in found}
    return found + [
        Listed(address, token=place) for address, place in where.items() if address not in named
    ]
