"""Screens with a daemon on another machine: connected, token refused, other version, picker."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from palaver import __version__
from palaver.client import Endpoint, Incompatible, Unauthenticated
from palaver.interface import Choice
from palaver.remote.address import Ssh, Web
from palaver.remote.servers import Server
from tui.replay import ReplayClient, problem
from tui.scenes import SIZES, finished
from tui.screen import make_app, posed, screen_text, settled

BOX = Server(Web("https", "box.example.org", 7777), "box")
URL = str(BOX.place)
FAR = Server(Ssh("far.example.org", "ada", 2222), "far")


NOT_LET_IN = Unauthenticated(
    problem("The token has expired.", 401, "unauthenticated"), Endpoint(URL, token="t")
)
DOES_NOT_FIT = Incompatible(
    msgspec.structs.replace(ReplayClient().told, version="2.0.0"), Endpoint(URL), "client"
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("version", "error", "words"),
    [
        (__version__, None, "●"),
        ("0.2.0", None, "0.2.0"),
        (__version__, NOT_LET_IN, "Not let in"),
        (__version__, DOES_NOT_FIT, "Versions that do not fit"),
        (__version__, None, "Servers"),
    ],
    ids=["let_in", "another_version", "not_let_in", "does_not_fit", "picker"],
)
def test_a_daemon_elsewhere_looks_as_it_did(
    snap_compare: Callable[..., bool],
    tmp_path: Path,
    version: str,
    error: Incompatible | Unauthenticated | None,
    words: str,
    size: tuple[int, int],
) -> None:
    daemon = ReplayClient()
    daemon.told = msgspec.structs.replace(daemon.told, user="ada", version=version)
    finished(daemon)
    servers = [Choice(None), Choice(BOX, here=True), Choice(FAR)]

    async def connect() -> Endpoint:
        return Endpoint(URL)

    app, _ = make_app(daemon, tmp_path, "a", connect, server=BOX, choices=lambda: servers)

    async def before(pilot: Pilot[int]) -> None:
        await settled(app, lambda: "only reset it in" in screen_text(app) and app.session.models)
        if error is not None:
            daemon.watching.end(error)
        if words == "Servers":
            app.perform("server.choose")
        await settled(app, lambda: words in screen_text(app))
        await posed(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)
