"""The first run, from no model to an answer, with the real daemon, files and a local server."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from palaver.client import Endpoint, PalaverError
from palaver.clock import SystemClock
from palaver.setup.local import PORTS, LocalModel, LocalServer
from palaver.setup.servers import find_servers
from palaver.wire.chats import Model, Models
from palaver.wire.errors import ChatError
from palaver.wire.setup import Setup
from palaver_tui.app import PalaverApp
from palaver_tui.keymap.actions import ACTIONS
from palaver_tui.session.session import Connect
from palaver_tui.session.setup import SetupTools
from palaver_tui.session.watched_files import file_stats
from palaver_tui.state.first_run import FirstRun, first_run
from palaver_tui.state.setup_help import Row, paragraphs
from palaver_tui.widgets.welcome import welcome_lines
from palaverd.config.load import ConfigError
from palaverd.config.source import Source
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.daemon import short_dir
from tui.screen import Client

KEY = "ANTHROPIC_API_KEY"
PATH = "/home/ann/.config/palaver/config.toml"
OLLAMA = LocalServer(
    "Ollama",
    "127.0.0.1:11434",
    tuple(LocalModel(name) for name in ("llama3.2:latest", "qwen3:8b", "c", "d")),
)


@dataclass
class House:
    """A data directory with its daemon, which can be restarted with another environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    daemon: Daemon | None = None
    restarts: int = 0

    @property
    def config(self) -> Path:
        return self.folder / "deep" / "config.toml"

    async def start(self) -> Endpoint:
        source = Source(self.config, dict(self.environment))
        loaded = await asyncio.to_thread(source.read)
        self.daemon = Daemon(
            self.folder / "data",
            self.folder / "palaverd.sock",
            loaded.config,
            clock=SystemClock(),
            chance=random.Random(7),
            keys=loaded.keys,
            source=source,
        )
        await self.daemon.start()
        return Endpoint(socket=self.daemon.socket)

    async def stop(self) -> None:
        if self.daemon is not None:
            await self.daemon.stop()

    async def restart(self) -> Endpoint:
        """Restart the daemon with the key, as the function does that the command line passes in."""
        self.restarts += 1
        await self.stop()
        self.environment[KEY] = "k"
        return await self.start()


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr("palaverd.active_config.LOOK_S", 0.05)
    monkeypatch.setattr("palaver_tui.session.setup.LOOK_FOR_SERVERS_S", 0.05)
    # The daemon in this process would log to standard output, which the client uses.
    async with short_dir() as folder:
        one = House(folder)
        with capture_logs():
            await one.start()
            yield one
            await one.stop()


class Beginner(Client):
    """A client whose text is read across line ends, as people do."""

    def text(self) -> str:
        return re.sub(r"[│\s]+", " ", super().text())

    async def told(self, *sentences: str) -> None:
        """Wait for notices, by their full text: on the screen they may be clipped."""

        def there() -> bool:
            said = [notice.message for notice in self.app._notifications]
            return all(any(one in message for message in said) for one in sentences)

        await self.until(there)


class Open:
    """A client of the house's daemon."""

    def __init__(
        self,
        house: House,
        tools: SetupTools,
        size: tuple[int, int] = (100, 40),
        connect: Connect | None = None,
        first: str = "One thing is missing",
    ) -> None:
        async def connected() -> Endpoint:
            assert house.daemon is not None
            return Endpoint(socket=house.daemon.socket)

        self._first = first
        self.app = PalaverApp(
            connect or connected,
            data_dir=house.folder / "data",
            random=Random(1),
            motion=False,
            tools=tools,
        )
        self._running = self.app.run_test(size=size, notifications=True)

    async def __aenter__(self) -> Beginner:
        pilot = await self._running.__aenter__()
        me = Beginner(self.app, None, pilot, None)
        await me.shows(self._first)
        return me

    async def __aexit__(self, *error: Any) -> None:
        await self._running.__aexit__(*error)


async def test_a_server_that_is_found_is_used_with_one_key(house: House) -> None:
    async with Simulator(rate=0, keyless=True) as simulator:
        port = int(simulator.url.rpartition(":")[2])
        tools = SetupTools(find_servers=lambda: find_servers(SystemClock(), [port]))
        async with Open(house, tools) as me:
            await me.shows(f"answers at 127.0.0.1:{port}", f"⏎ write {house.config}")
            await me.shows("⏎ use this machine's model server")
            me.tap("enter", "enter")
            await me.shows("What shall we talk about?")
            assert house.config.read_text().startswith("# An OpenAI-compatible server at")
            await me.write("[[length=3]] hello")
            me.tap("enter")
            await me.until(lambda: [m.role for m in me.view.messages] == ["user", "assistant"])


async def test_a_configuration_that_comes_is_noticed_and_a_broken_one_told(house: House) -> None:
    async with Open(house, SetupTools()) as me:
        await me.shows(str(house.config), 'kind = "openai-compatible"')
        house.config.parent.mkdir()
        house.config.write_text('[providers.local]\nkind = "ollama"\n')
        allowed = "Allowed: anthropic, openai, openai-compatible."
        sentence = f'{house.config}: providers.local.kind is "ollama". {allowed}'
        await me.told(f"{sentence} What was in force before still is.")
        await me.shows("Allowed: anthropic, openai")
        house.config.write_text(
            '[providers.local]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:1/v1"\n'
            '[models.llama]\nprovider = "local"\nmodel = "x"\n'
        )
        await me.shows("What shall we talk about?", "You are talking to llama")


async def test_a_server_that_starts_later_is_noticed(house: House) -> None:
    found: list[LocalServer] = []

    async def find() -> list[LocalServer]:
        return list(found)

    async with Open(house, SetupTools(find_servers=find)) as me:
        await me.shows("None answers yet on its usual port")
        found.append(LocalServer("Ollama", "127.0.0.1:11434"))
        await me.shows("has no model to talk to yet")
        found[:] = [OLLAMA]
        await me.shows("with llama3.2:latest, qwen3:8b, c and 1 more.")


async def test_what_is_there_is_never_written_over(house: House) -> None:
    async def find() -> list[LocalServer]:
        return [OLLAMA]

    async with Open(house, SetupTools(find_servers=find)) as me:
        await me.shows("⏎ write")
        house.config.parent.mkdir()
        # Written between two checks by the daemon: the client does not know of it yet.
        house.config.write_text("# mine\n")
        me.app.session.setup.write_config()
        await me.told("is there already; nothing was written")
        assert house.config.read_text() == "# mine\n"
        await me.shows("To use it, put into")
        await me.press("enter")
        assert house.config.read_text() == "# mine\n"


async def test_a_key_of_this_shell_is_handed_over_by_a_restart(house: House) -> None:
    tools = SetupTools({KEY: "k", "OTHER": "x"}, house.restart)
    async with Open(house, tools) as me:
        await me.shows(f"This shell has {KEY}; the daemon began without.")
        await me.shows("⏎ start the daemon anew with the key")
        me.tap("enter", "enter")
        await me.shows("You are talking to sonnet")
        assert house.restarts == 1


async def test_a_restart_that_is_refused_is_told(house: House) -> None:
    async def refuse() -> Endpoint:
        raise PalaverError("The daemon (process 7) is run by systemd.")

    async with Open(house, SetupTools({KEY: "k"}, refuse)) as me:
        await me.press("enter")
        await me.told("is run by systemd")


@pytest.mark.parametrize("tools", [SetupTools({KEY: "k"}), SetupTools({KEY: ""}, lambda: None)])  # type: ignore[arg-type,return-value]
async def test_a_restart_is_not_offered_where_it_would_not_help(
    house: House, tools: SetupTools
) -> None:
    async with Open(house, tools) as me:
        await me.shows("palaver daemon restart")
        assert "This shell has" not in me.text()


async def test_without_a_model_nothing_offers_another_one(house: House) -> None:
    async with Open(house, SetupTools()) as me:
        await me.write("hello")
        me.tap("enter")
        await me.shows("No model is configured")
        failure = me.view.error
        assert failure is not None
        assert f"Name one in {house.config}, which is read at once" in failure.message
        assert "other model" not in me.text()
        offered = [one.id for one in ACTIONS if one.command and me.app.offers(one)]
        assert "error.retry" in offered
        assert not {"model.choose", "setup.restart", "setup.local"} & set(offered)
        await me.press("f3")
        await me.told("No model can be used yet")
        assert len(me.app.screen_stack) == 1
        # With a model, choosing another is offered, and the retry works.
        async with Simulator(rate=0) as simulator:
            house.config.parent.mkdir()
            house.config.write_text(
                f'[providers.p]\nkind = "anthropic"\napi_key = "k"\nbase_url = "{simulator.url}"\n'
                '[models.m]\nprovider = "p"\nmodel = "sim-small"\n'
            )
            await me.shows("other model")
            me.tap("ctrl+g")  # Enter would be ignored within a second after the last one
            await me.until(lambda: me.view.messages[-1].role == "assistant")


# --- texts, without a screen ----------------------------------------------------------------

NO_KEY = ChatError("missing_key", "There is no API key for Anthropic.")
LACKING = Setup(PATH, variables=[KEY, "OPENAI_API_KEY"])


def state(*servers: LocalServer, models: Models | None = None, **how: Any) -> FirstRun | None:
    asked: dict[str, Any] = {"here": True, "environment": ()} | how
    return first_run(models or Models([], LACKING), servers, **asked)


def test_nothing_is_missing_while_one_model_can_be_used() -> None:
    one = Model("a", "p", "x", unavailable=NO_KEY)
    assert state(models=Models([one, Model("b", "p", "y")], LACKING)) is None
    assert state(models=Models([one])) is not None


def test_what_enter_does_goes_from_the_key_to_the_server_to_nothing() -> None:
    helps = [
        state(OLLAMA, environment=[KEY]),
        state(OLLAMA),
        state(LocalServer("Ollama", "127.0.0.1:1")),
        state(OLLAMA, models=Models([], Setup(PATH, found=True))),
        state(OLLAMA, models=Models([])),
        state(OLLAMA, environment=[KEY], here=False),
    ]
    assert [one.help for one in helps if one is not None] == [
        "setup.restart",
        "setup.local",
        *[None] * 4,
    ]


def test_every_usual_port_is_named_where_none_answers() -> None:
    shown = " ".join(row.text for row in paragraphs(FirstRun(PATH)))
    for kind, port in PORTS.items():
        assert f"{kind} :{port}" in shown


def test_of_a_daemon_elsewhere_only_its_own_machine_is_told() -> None:
    """Keys, servers and commands of this machine would not help a daemon on another one."""
    there = state(OLLAMA, environment=[KEY], here=False)
    assert there is not None
    shown = " ".join(row.text for row in paragraphs(there))
    assert f"on another machine. Name a model there, in {PATH}" in shown
    for here in ("export", "palaver daemon", OLLAMA.address, ":11434"):
        assert here not in shown
    # The daemon sends no paths to a token without the scope for them.
    unknown = state(models=Models([]), here=False)
    assert unknown is not None
    assert "in config.toml:" in paragraphs(unknown)[2].text


STATES = {
    "elsewhere": FirstRun(there=PATH, lacking=(KEY,)),
    "nothing": FirstRun(PATH, lacking=(KEY,)),
    "server": FirstRun(PATH, server=OLLAMA, lacking=(KEY,)),
    "key": FirstRun(PATH, server=OLLAMA, keys=(KEY,), lacking=(KEY,)),
    "broken": FirstRun(PATH, found=True, lacking=(KEY,), reasons=("x" * 150,)),
}


@pytest.mark.parametrize("size", [(76, 17), (56, 14), (100, 33), (30, 10)])
@pytest.mark.parametrize("name", STATES)
def test_the_screen_fits_and_says_what_matters(name: str, size: tuple[int, int]) -> None:
    width, height = size
    lines = welcome_lines(STATES[name], None, width, height)
    texts = ["".join(span.text for span in line.spans) for line in lines]
    assert all(len(text) <= width for text in texts)
    if width >= 56 and name != "broken":
        assert len(lines) <= height
        shown = " ".join(texts)
        assert "palaver demo" in shown
        assert name == "elsewhere" or "base_url" in shown
        assert PATH in shown


def test_names_of_a_server_cannot_drive_the_terminal() -> None:
    evil = LocalServer("Ollama", "127.0.0.1:1", (LocalModel("a\u202eb"),))
    rows: list[Row] = paragraphs(FirstRun(PATH, server=evil))
    assert not any("\u202e" in row.text for row in rows)


async def test_a_file_that_kept_the_daemon_from_starting_is_read_when_it_was_mended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palaver_tui.session.setup.LOOK_AT_CAUSE_S", 0.05)
    await house.stop()
    house.config.parent.mkdir()
    house.config.write_text("[models.a]\nkind = 1\n")
    attempts = 0

    async def connect() -> Endpoint:
        nonlocal attempts
        attempts += 1
        try:
            return await house.start()
        except ConfigError as error:
            raise PalaverError(f"The daemon did not start: {error}") from error

    tools = SetupTools(look=lambda: file_stats([house.config]))
    async with Open(house, tools, connect=connect, first="No connection") as me:
        await me.shows("The daemon did not start", "⏎ try again")
        house.config.write_text("[models.a]\nkind = 2\nmodel = 3\n")
        await me.until(lambda: attempts == 2)
        await me.shows("The daemon did not start")
        house.config.write_text("")
        await me.shows("One thing is missing: a model to talk to.")
        assert attempts == 3, "a start is tried when something has changed, and not before"


async def test_a_configuration_that_is_in_order_again_is_told(house: House) -> None:
    async with Open(house, SetupTools()) as me:
        house.config.parent.mkdir()
        house.config.write_text("[models.a]\nkind = 1\n")
        await me.told("What was in force before still is.")
        house.config.write_text("")
        await me.told("config.toml is in order again, and in force.")


async def test_a_message_that_failed_without_a_model_offers_what_helps(house: House) -> None:
    async def find() -> list[LocalServer]:
        return [OLLAMA]

    async with Open(house, SetupTools(find_servers=find), size=(100, 40)) as me:
        await me.shows("⏎ write")
        await me.write("hello")
        me.tap("enter")
        await me.shows("No model to talk to", "⏎ ^g use this machine's model server")
        me.tap("ctrl+g")  # a second Enter would be ignored
        await me.shows("llama3-2", "⏎ ^g try again")


@pytest.mark.parametrize("hint", ["", "A simulator answers in its name."])
def test_an_empty_chat_says_what_else_there_is_to_know(hint: str) -> None:
    said = "\n".join(line.text for line in welcome_lines(None, "sonnet", 76, 18, hint))
    assert hint in said
    assert "F1  help" in said
