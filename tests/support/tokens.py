"""Tokens for tests, created over the daemon's socket."""

from __future__ import annotations

from pathlib import Path

from palaver.client.endpoint import API, Endpoint
from palaver.client.transport import Transport
from palaver.clock import SystemClock
from palaver.wire.access import MadeToken, NewToken, NewUser, Scope, User
from palaverd.daemon import Daemon


async def make_user(daemon: Daemon, name: str) -> None:
    transport = Transport(Endpoint(socket=daemon.socket), SystemClock())
    try:
        await transport.request("POST", f"{API}/users", User, body=NewUser(name))
    finally:
        await transport.close()


async def make_token(
    daemon: Daemon | Path,
    *scopes: Scope,
    user: str = "local",
    expires_seconds: int | None = None,
) -> MadeToken:
    socket = daemon if isinstance(daemon, Path) else daemon.socket
    transport = Transport(Endpoint(socket=socket), SystemClock())
    new = NewToken("test", user, list(scopes) or ["read", "chat"], expires_seconds)
    try:
        return await transport.request("POST", f"{API}/tokens", MadeToken, body=new)
    finally:
        await transport.close()
