"""The header's name of the daemon, changing to another one, and what is shown if it refuses."""

from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from palaver.client import Connected, Endpoint, Incompatible, PalaverError, Unauthenticated
from palaver.interface import Choice
from palaver.remote.address import Ssh, Unix, Web
from palaver.remote.servers import Server
from palaver_tui.session.watched_files import watched_files
from palaver_tui.storage.local_store import Draft, LocalStore
from palaver_tui.timing import BARRED_S
from palaver_tui.widgets.header import Place
from tui.replay import ReplayClient, chat, problem
from tui.screen import client

BOX = Server(Web("https", "box", 7777), "box")
URL = "https://box:7777"
FAR = Server(Ssh("far", "ada"))


async def there() -> Endpoint:
    return Endpoint(URL, token="palaver_a_b")


def remote(**told: Any) -> ReplayClient:
    daemon = ReplayClient()
    daemon.told = msgspec.structs.replace(daemon.told, **told)
    daemon.open(chat("a", "A chat"))
    return daemon


@pytest.mark.parametrize(
    ("server", "told", "said"),
    [
        (BOX, {"user": "ada"}, "● ada@box"),
        (BOX, {}, "● box"),
        (Server(Web("https", "10.0.0.7", 443)), {"user": "ada"}, "● ada@10.0.0.7"),
        (FAR, {}, "● ada@far"),
        (FAR, {"user": "other"}, "● other@far"),
        (FAR, {"user": "\x1b[31m"}, "● ␛[31m@far"),
        (BOX, {"user": "ada", "version": "9.9.0"}, "● ada@box palaverd 9.9.0"),
        (Server(Unix("/s")), {"user": "ada"}, "● localhost"),
        (None, {"user": "ada"}, "● localhost"),
        (None, {"version": "9.9.0"}, "● localhost palaverd 9.9.0"),
    ],
)
async def test_the_header_says_whose_daemon_it_is_and_of_which_version(
    tmp_path: Path, server: Server | None, told: dict[str, str], said: str
) -> None:
    async with client(tmp_path, daemon=remote(**told), server=server) as me:
        await me.shows(said)
        await me.rests()
        assert me.text().splitlines()[0].rstrip().endswith(said)


def test_a_narrow_header_has_the_dot_and_another_version_only() -> None:
    place = Place("ada@box", remote=True, version="9.9.0")
    texts = {
        (phase, wide): "".join(span.text for span in place.spans(phase, wide=wide))
        for phase in ("live", "offline")
        for wide in (True, False)
    }
    assert texts == {
        ("live", True): "● ada@box palaverd 9.9.0",
        ("live", False): "● 9.9.0",
        ("offline", True): "○ ada@box offline",
        ("offline", False): "○",
    }


def unauthenticated(detail: str = "The token has expired.") -> Unauthenticated:
    return Unauthenticated(problem(detail, 401, "unauthenticated"), Endpoint(URL, token="t"))


async def test_a_token_that_is_not_taken_says_what_to_do_and_keeps_everything(
    tmp_path: Path,
) -> None:
    daemon = remote(user="ada")
    async with client(tmp_path, daemon=daemon, server=BOX, connect=there) as me:
        await me.shows("A chat")
        await me.write("half a thought")
        daemon.stream_of("a").end(unauthenticated())
        daemon.refusal = problem("The token has expired.", 401, "unauthenticated")
        daemon.watching.end(unauthenticated())
        await me.shows("Not let in", "palaver login https://box:7777", "○ ada@box offline")
        assert me.composer.text == "half a thought"
        await me.press("enter")  # a message that is sent now waits
        assert [item.state for item in me.view.outgoing] == ["waiting"]
        # The client tries again by itself, and uses a new token.
        daemon.refusal = None
        daemon.open(chat("a", "A chat"))
        me.clock.advance(BARRED_S)
        await me.shows("● ada@box")
        await me.until(lambda: daemon.sent)
        assert [request.content for _, request, _ in daemon.sent] == ["half a thought"]
        await me.hides("Not let in")


async def test_a_message_that_is_not_let_in_waits_for_being_let_in_again(tmp_path: Path) -> None:
    daemon = remote()
    async with client(tmp_path, daemon=daemon, server=BOX, connect=there) as me:
        await me.shows("A chat")
        daemon.refusal = problem("The token was revoked.", 401, "unauthenticated")
        await me.write("for the box")
        await me.press("enter")
        await me.until(lambda: [item.state for item in me.view.outgoing] == ["waiting"])
        daemon.refusal = None
        daemon.watching.tell(Connected())
        await me.until(lambda: daemon.sent)


async def test_a_stream_that_is_not_let_in_takes_no_chat_away(tmp_path: Path) -> None:
    daemon = remote()
    async with client(tmp_path, daemon=daemon, chat_id="a", server=BOX, connect=there) as me:
        await me.until(lambda: daemon.positions)
        daemon.stream_of("a").end(unauthenticated())
        daemon.watching.end(unauthenticated())
        await me.shows("Not let in")
        assert me.app.session.current == "a"
        assert "was deleted" not in me.text()


@pytest.mark.parametrize("upgrade", ["client", "daemon"])
async def test_versions_that_do_not_fit_are_one_sentence_and_the_draft_stays(
    tmp_path: Path, upgrade: Literal["client", "daemon"]
) -> None:
    daemon = remote()
    async with client(tmp_path, daemon=daemon, size=(120, 40), server=BOX, connect=there) as me:
        await me.shows("A chat")
        await me.write("half a thought")
        info = msgspec.structs.replace(daemon.told, version="9.9.0")
        daemon.watching.end(Incompatible(info, Endpoint(URL), upgrade))
        await me.shows("Versions that do not fit", "pip install --upgrade")
        assert me.composer.text == "half a thought"
        daemon.open(chat("a", "A chat"))
        me.clock.advance(BARRED_S)
        await me.hides("Versions that do not fit")
        assert me.composer.text == "half a thought"


async def test_what_is_written_to_one_server_never_meets_another_ones_chats(tmp_path: Path) -> None:
    stores = [
        LocalStore(tmp_path),
        LocalStore(tmp_path, URL),
        LocalStore(tmp_path, "https://box:7778"),
    ]
    for number, store in enumerate(stores):
        store.keep_draft(Draft("a", f"for {number}"))
    assert [store.drafts() for store in stores] == [
        [Draft("a", "for 0")],
        [Draft("a", "for 1")],
        [Draft("a", "for 2")],
    ]
    for store in stores:
        store.close()
    for server, text in ((None, "for 0"), (BOX, "for 1")):
        async with client(tmp_path, daemon=remote(), chat_id="a", server=server) as me:
            await me.until(partial(lambda text, me: me.composer.text == text, text, me))


async def test_a_message_waits_for_its_own_server(tmp_path: Path) -> None:
    daemon = remote()
    async with client(tmp_path, daemon=daemon, server=BOX, connect=there) as me:
        await me.shows("A chat")
        daemon.down = True
        await me.write("for the box")
        await me.press("enter")
        await me.until(lambda: LocalStore(tmp_path, URL).unsent())
    elsewhere = remote()
    async with client(tmp_path, daemon=elsewhere) as me:
        await me.shows("A chat")
        await me.rests()
    assert elsewhere.sent == []
    again = remote()
    async with client(tmp_path, daemon=again, server=BOX, connect=there) as me:
        await me.until(lambda: again.sent)
    assert again.sent[0][1].content == "for the box"


def choices() -> list[Choice]:
    return [Choice(None), Choice(BOX, here=True), Choice(FAR)]


async def test_a_server_is_chosen_in_the_palette_and_the_client_left_for_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=remote(), server=BOX, choices=choices) as me:
        await me.shows("A chat")
        await me.write("half a thought")
        await me.press("ctrl+p", *"choose a server", "enter")
        await me.shows("Servers", "this machine", "● box  https://box:7777", "ssh://ada@far")
        await me.press(*"this", "enter")
        await me.until(lambda: not me.app.is_running)
        assert me.app.context.exit_state.server == Choice(None)
    assert [draft.text for draft in LocalStore(tmp_path, URL).drafts()] == ["half a thought"]
    assert LocalStore(tmp_path).drafts() == []


async def test_the_server_in_use_is_no_place_to_go_to(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=remote(), server=BOX, choices=choices) as me:
        await me.shows("A chat")
        me.app.perform("server.choose")
        await me.shows("Servers")
        await me.press("enter")
        await me.hides("Servers")
        assert me.app.context.exit_state.server is None
        assert me.app.is_running


async def test_what_is_not_sent_is_told_before_one_goes(tmp_path: Path) -> None:
    daemon = remote()
    async with client(tmp_path, daemon=daemon, server=BOX, choices=choices) as me:
        await me.shows("A chat")
        daemon.down = True
        await me.write("for the box")
        await me.press("enter")
        for running in (True, False):
            me.app.perform("server.choose")
            await me.shows("Servers")
            await me.press(*"far", "enter")
            await me.until(partial(lambda running: me.app.is_running is running, running))
            if running:
                await me.shows("1 message is not sent yet.")
        assert me.app.context.exit_state.server == Choice(FAR)


async def test_without_names_the_picker_says_how_to_make_one(tmp_path: Path) -> None:
    alone = [Choice(None, here=True)]
    async with client(tmp_path, daemon=remote(), choices=lambda: alone) as me:
        await me.shows("A chat")
        me.app.perform("server.choose")
        await me.shows("None is named yet.", "client.toml", "[servers.box]")


async def test_a_file_that_cannot_be_read_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    def broken() -> list[Choice]:
        raise PalaverError("client.toml: this is not TOML.")

    async with client(tmp_path, daemon=remote(), choices=broken) as me:
        await me.shows("A chat")
        me.app.perform("server.choose")
        await me.shows("client.toml: this is not TOML.")
        assert me.app.context.exit_state.server is None


async def test_in_a_demo_there_is_nowhere_to_go(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=remote()) as me:
        await me.shows("A chat")
        me.app.perform("server.choose")
        await me.rests()
        assert "Servers" not in me.text()


async def test_what_kept_one_from_going_is_said_where_one_stayed(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=remote(), notice="There is no [servers.box].") as me:
        await me.shows("There is no [servers.box].")


def test_the_files_that_decide_whether_a_server_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    ca, token = Path("/ca.pem"), Path("/token")
    named = msgspec.structs.replace(BOX, ca_file=ca, token_file=token)
    *found, stored = watched_files(tmp_path, None, named)
    assert found == [tmp_path / "palaver" / "client.toml", ca, token]
    assert stored.parent == tmp_path / "palaver" / "tokens"
    assert list(watched_files(tmp_path, Path("/c.toml"), Server(Unix("/s")))) == [
        Path("/c.toml"),
        Path("/s"),
    ]
