"""The client's own errors: shown once, with a report, and the client goes on."""

import os
import stat
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from pkgutil import resolve_name
from random import Random
from typing import Any, NoReturn

import pytest
from textual import events
from textual.message import Message
from textual.widget import Widget
from textual.widgets._toast import Toast, ToastRack

from palaver.client import Connected, Endpoint, PalaverError, Progress
from palaver.wire.events import ChatUpdated, ErrorEvent, MessageEvent, QueueUpdate
from palaver_tui.actions import application
from palaver_tui.actions.table import FUNCTIONS
from palaver_tui.app import PalaverApp
from palaver_tui.session.restarts import RECOVERED_S, Restarts
from palaver_tui.storage.error_reports import MOST_FILES, MOST_KINDS, ErrorLog
from palaver_tui.storage.local_store import LocalStore, Unsent
from palaver_tui.textual_patches.error_containment import CHANGED
from palaver_tui.textual_patches.fields import ShownInput
from palaver_tui.timing import RESEND_AFTER_S
from palaver_tui.widgets.banner import BannerBox
from palaver_tui.widgets.bar import Bar
from palaver_tui.widgets.chat_list import ChatListPane
from palaver_tui.widgets.command_list import CommandList
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.dialogs.help import HelpScreen
from palaver_tui.widgets.dialogs.options import Options
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.search_bar import SearchInput
from palaver_tui.widgets.transcript.widget import Transcript
from palaver_tui.widgets.welcome import Welcome
from support.clock import ManualClock
from tui.replay import BAD_KEY, ENDPOINT, T0, ReplayClient, answer, chat, queued, status, user
from tui.screen import Client, client
from tui.test_client import with_chat

SECRET = "sk-ant-secret, and what a person wrote"


class Broken(Exception):
    pass


def fail(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise Broken(SECRET)


async def fail_soon(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise Broken(SECRET)


def message(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    class Poke(Message):
        handler_name = "on_poke"

    monkeypatch.setattr(Composer, "on_poke", fail, raising=False)
    app.main.query_one(Composer).post_message(Poke())


def app_message(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(app), "on_transcript_marked", fail)
    app.post_message(Transcript.Marked())


def action(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, "app.theme", fail)
    app.post_message(events.Key("f2", None))


def timer(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.set_timer(0.001, fail)


def worker(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.run_worker(fail_soon())


def later(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.main.query_one(Composer).call_later(fail)


def following(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.call_next(fail)
    app._changed()  # a paint that is queued after the failing callback is not lost


def refreshed(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.main.query_one(Composer).call_after_refresh(fail)


def task(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.session._tasks.spawn(fail_soon())


def lines(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    transcript = app.main.transcript
    monkeypatch.setattr(type(transcript._strips), "strip", fail)
    transcript.refresh()


def render(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = app.main.query_one("#prompt")
    monkeypatch.setattr(type(prompt), "render", fail)
    prompt.refresh(layout=True)


def compose(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HelpScreen, "compose", fail)
    app.perform("app.help")


def painting(app: PalaverApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def once(*args: Any, **kwargs: Any) -> NoReturn:
        monkeypatch.undo()
        fail()

    monkeypatch.setattr(type(app.context.painter), "paint", once)
    app._changed()


PLACES = (
    message,
    app_message,
    action,
    timer,
    worker,
    later,
    following,
    refreshed,
    task,
    render,
    compose,
    painting,
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_an_error_is_told_and_the_client_goes_on(
    place: Callable[[PalaverApp, pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with client(tmp_path, contains_errors=True) as shown:
        await shown.shows("What shall we talk about?")
        place(shown.app, monkeypatch)
        await shown.until(lambda: shown.app.context.errors.log)
        if place is not render:  # which the notice needs, too
            await shown.shows("Something went wrong in the client", "F8 copies a report")
        monkeypatch.undo()
        await shown.press("escape")
        await shown.press("h", "i")
        assert shown.composer.text == "hi"
        await shown.press("enter")
        await shown.until(lambda: not shown.composer.text)
        await shown.until(lambda: not shown.app._frames._pending)
        report = shown.app.context.errors.log.report()
        assert "Broken at tui/test_error_containment.py" in report
        assert SECRET not in report
        path = shown.app.context.errors.log.path
        assert path is not None
        assert "Broken at tui/test_error_containment.py" in path.read_text()
        assert SECRET not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        copied: list[tuple[str, str]] = []
        monkeypatch.setattr(
            application, "copy_text", lambda _context, text, what: copied.append((text, what))
        )
        await shown.press("f8")
        assert copied == [(shown.app.context.errors.log.report(), "the report")]


async def test_what_is_to_be_called_after_what_failed_is_called(tmp_path: Path) -> None:
    async with client(tmp_path, contains_errors=True) as shown:
        await shown.until(lambda: shown.app._frames.painted)
        called: list[int] = []
        shown.app.call_next(fail)
        shown.app.call_next(lambda: called.append(1))
        await shown.until(lambda: called and shown.app.context.errors.log)


async def test_an_error_that_repeats_is_told_once(tmp_path: Path) -> None:
    async with client(tmp_path, contains_errors=True) as shown:
        await shown.until(lambda: shown.app._frames.painted)
        for _ in range(50):
            shown.app.call_later(fail)
        await shown.until(lambda: "(50 times)" in shown.app.context.errors.log.report())
        assert len(shown.app._notifications) == 1


async def test_an_error_of_a_widget_that_is_drawn_is_said_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = with_chat(user(1, "Why?"), answer(2, "It is blue."))
    async with client(tmp_path, daemon=daemon, chat_id="a", contains_errors=True) as shown:
        await shown.shows("It is blue.")
        lines(shown.app, monkeypatch)
        await shown.shows("could not be drawn")
        monkeypatch.undo()
        shown.transcript.refresh()
        await shown.hides("could not be drawn")


# --- work that is restarted ---------------------------------------------------------------


class Patient(ManualClock):
    """A clock whose `sleep` advances it by the delay and returns."""

    slept: list[float]

    def __init__(self) -> None:
        super().__init__()
        self.slept = []

    async def sleep(self, delay: float) -> None:
        self.slept.append(delay)
        self.advance(delay)


def fails_first(monkeypatch: pytest.MonkeyPatch, place: str, times: int = 1) -> None:
    """Replace a function, by its dotted name, by one that fails `times` times and then works."""
    module, name = place.rsplit(".", 1)
    real, left = getattr(resolve_name(module), name), [fail] * times

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        return left.pop()() if left else real(*args, **kwargs)

    monkeypatch.setattr(place, sometimes)


async def test_a_chat_is_read_on_after_an_error_in_what_it_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, clock = with_chat(user(1, "why?")), Patient()
    async with client(
        tmp_path, daemon=daemon, chat_id="a", contains_errors=True, clock=clock
    ) as shown:
        await shown.shows("why?")
        fails_first(monkeypatch, "palaver_tui.session.session.reduce_all")
        daemon.stream_of("a").tell(MessageEvent(answer(2, "never reduced")))
        await shown.until(lambda: len(daemon.positions) == 2)
        assert daemon.positions[1] == ("a", Progress(1))  # from where it was read before
        daemon.stream_of("a").tell(MessageEvent(answer(2, "because")))
        await shown.shows("why?", "because")
        assert shown.app.context.errors.log
        [pause] = clock.slept
        assert 0 < pause <= 1


async def test_a_chat_that_cannot_be_read_on_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, clock = with_chat(user(1, "why?")), Patient()
    async with client(
        tmp_path, daemon=daemon, chat_id="a", contains_errors=True, clock=clock
    ) as shown:
        await shown.shows("why?")
        daemon.down = True
        await shown.write("on its way")
        await shown.press("enter")
        await shown.until(lambda: shown.view.outgoing[0].state == "waiting")
        fails_first(monkeypatch, "palaver_tui.session.session.reduce_all", 2)
        for _ in range(2):
            daemon.stream_of("a").tell(MessageEvent(answer(2, "never reduced")))
        await shown.until(lambda: len(daemon.positions) == 3)
        assert daemon.positions[2] == ("a", Progress())
        daemon.stream_of("a").tell(MessageEvent(user(1, "why?")), MessageEvent(answer(2, "so")))
        await shown.shows("why?", "so", "on its way")
        waits = [slept for slept in clock.slept if slept != RESEND_AFTER_S]
        assert waits[0] < waits[1]


async def test_the_list_is_followed_again_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, clock = with_chat(), Patient()
    async with client(tmp_path, daemon=daemon, contains_errors=True, clock=clock) as shown:
        await shown.shows("First chat")
        fails_first(monkeypatch, "palaver_tui.session.session.reduce_list")
        daemon.watching.tell(ChatUpdated(chat("c", "Lost"), []))
        await shown.until(lambda: clock.slept)
        daemon.open(chat("a", "First chat"), chat("c", "Third chat"))
        await shown.shows("Third chat")


async def test_the_daemon_is_looked_for_again_after_an_error(tmp_path: Path) -> None:
    daemon, clock = with_chat(), Patient()
    tries: list[int] = []

    async def connect() -> Endpoint:
        tries.append(1)
        return ENDPOINT if len(tries) == 3 else fail()

    async with client(
        tmp_path, daemon=daemon, contains_errors=True, clock=clock, connect=connect
    ) as shown:
        await shown.shows("First chat")
        assert len(clock.slept) == 2


UNSENT = Unsent("k", "written before", T0, "a", None, None)


@pytest.mark.parametrize(
    "path",
    [
        "palaver_tui.storage.local_store.LocalStore.claim_unsent",
        "palaver_tui.session.outbox.sending",
        "palaver_tui.session.session.Session._follow",
        "palaver_tui.session.session.Session._learn",
    ],
)
async def test_what_was_not_sent_goes_out_after_an_error_in_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    LocalStore(tmp_path).keep(UNSENT)
    fails_first(monkeypatch, path)
    daemon, clock = with_chat(user(1, "why?")), Patient()
    async with client(
        tmp_path, daemon=daemon, chat_id="a", contains_errors=True, clock=clock
    ) as shown:
        await shown.shows("First chat")
        daemon.watching.tell(Connected())
        await shown.until(lambda: daemon.sent)
        assert [request.content for _, request, _ in daemon.sent] == ["written before"]
        assert shown.app.context.errors.log


@pytest.mark.parametrize(
    "path", ["storage.local_store.LocalStore.claim_unsent", "session.outbox.sending"]
)
async def test_what_cannot_be_read_at_all_stays_on_disk_and_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    LocalStore(tmp_path).keep(UNSENT)
    monkeypatch.setattr(f"palaver_tui.{path}", fail)
    daemon, clock = with_chat(user(1, "why?")), Patient()
    async with client(
        tmp_path, daemon=daemon, chat_id="a", contains_errors=True, clock=clock
    ) as shown:
        await shown.shows("First chat", "why?")
        assert shown.app.context.errors.log
        monkeypatch.undo()
        assert [one.key for one in LocalStore(tmp_path).unsent()] == ["k"]


async def test_what_was_asked_is_given_back_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = with_chat(user(1, "why?"), answer(2, "so"))
    async with client(tmp_path, daemon=daemon, chat_id="a", contains_errors=True) as shown:
        await shown.shows("so")
        monkeypatch.setattr(daemon, "edit_message", fail)
        await shown.press("ctrl+t", "e", *"!!", "enter")
        await shown.until(lambda: shown.app.context.errors.log)
        await shown.shows("editing your message")
        assert shown.composer.text == "why?!!"


async def test_a_message_goes_out_later_after_an_error_in_sending_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = with_chat(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a", contains_errors=True) as shown:
        await shown.shows("why?")
        monkeypatch.setattr(daemon, "send", fail)
        await shown.write("and now?")
        await shown.press("enter")
        await shown.until(lambda: shown.view.outgoing and shown.view.outgoing[0].state == "waiting")
        monkeypatch.undo()
        daemon.watching.tell(Connected())
        await shown.until(lambda: daemon.sent)


async def test_pauses_get_longer_and_short_again_after_what_went_well() -> None:
    clock = Patient()
    told: list[Any] = []
    given: list[Any] = []
    goes_well = [0, 0, 0, RECOVERED_S, 0]

    async def work(failures: int) -> None:
        given.append(failures)
        if not goes_well:
            return
        clock.advance(goes_well.pop(0))
        fail()

    await Restarts(clock, Random(1), told.append).run(work)
    assert given == [0, 1, 2, 3, 1, 2]
    assert len(told) == 5
    assert clock.slept[0] < clock.slept[1] < clock.slept[2] > clock.slept[3] < clock.slept[4]


async def test_a_refusal_is_no_error_of_our_own() -> None:
    async def work(_failures: int) -> None:
        raise PalaverError("No.")

    with pytest.raises(PalaverError):
        await Restarts(Patient(), Random(1), fail).run(work)


# --- errors in drawing --------------------------------------------------------------------

# Widgets that draw themselves, and the keys that show them.
DRAWN: dict[type[Widget], tuple[str, ...]] = {
    Bar: (),
    ChatListPane: (),
    Transcript: (),
    BannerBox: (),
    QueuePanel: (),
    Composer: (),
    CommandList: ("slash",),
    SearchInput: ("ctrl+f",),
    ShownInput: ("ctrl+p",),
    Options: ("ctrl+p",),
    Welcome: ("ctrl+n",),
    Toast: ("ctrl+z",),
}


def with_all_parts() -> ReplayClient:
    daemon = with_chat(user(1, "why?"), answer(2, "so"))
    daemon.stream_of("a").tell(
        status("error"), ErrorEvent(BAD_KEY), QueueUpdate([queued(1, "next")], held=False)
    )
    return daemon


def says_so(shown: Client, kind: type[Widget]) -> bool:
    # Not by the screen, where a notice may cover it.
    drawn = [one.render_lines(one.outer_size.region) for one in shown.app.screen.query(kind)]
    return any("could not be drawn" in strip.text for strips in drawn for strip in strips)


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.__name__)
async def test_a_part_whose_lines_cannot_be_drawn_says_so_and_all_else_goes_on(
    kind: type[Widget], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(
        tmp_path, daemon=with_all_parts(), chat_id="a", contains_errors=True
    ) as shown:
        await shown.shows("The key was not accepted", "Queue · 1")
        broken = "_strips" if kind is Transcript else "render_line"
        monkeypatch.setattr(
            kind, broken, property(fail) if kind is Transcript else fail, raising=False
        )
        await shown.press(*DRAWN[kind])
        await shown.until(lambda: [*shown.app.screen.query(kind)])
        for one in shown.app.screen.query(kind):
            one.refresh()
        await shown.until(lambda: shown.app.context.errors.log)
        await shown.until(lambda: says_so(shown, kind))
        monkeypatch.undo()
        for _ in range(3):
            await shown.press("escape")
        await shown.press("ctrl+u", "h", "i")
        assert shown.composer.text == "hi"
        await shown.shows("hi")
        assert not says_so(shown, kind)


@pytest.mark.parametrize("place", ["render_line", "render", "compose", "_on_mount"])
async def test_an_error_in_drawing_the_notice_of_one_ends_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, contains_errors=True) as shown:
        await shown.until(lambda: shown.app._frames.painted)
        monkeypatch.setattr(Toast, place, fail)
        shown.app.call_later(fail)
        await shown.until(lambda: "test_error_containment" in shown.app.context.errors.log.report())
        await shown.press("h", "i", "ctrl+j", "2", "ctrl+j", "3")
        await shown.shows("❯ hi", "│   2", "│   3")  # the composer grows as usual
        copied: list[str] = []
        monkeypatch.setattr(
            application, "copy_text", lambda _context, text, _what: copied.append(text)
        )
        await shown.press("f8")
        assert copied == [shown.app.context.errors.log.report()]
        monkeypatch.undo()
        shown.app.call_later(fail_soon)  # an error of another kind has a notice of its own
        await shown.until(lambda: "fail_soon" in shown.app.context.errors.log.report())
        await shown.shows("Something went wrong in the client")


async def test_an_error_in_showing_the_notice_of_one_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, contains_errors=True) as shown:
        await shown.until(lambda: shown.app._frames.painted)
        monkeypatch.setattr(ToastRack, "show", fail)
        shown.app.call_later(fail)
        await shown.until(lambda: shown.app.context.errors.log)
        await shown.press("h", "i")
        await shown.shows("hi")


async def test_the_library_still_calls_what_is_changed_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: set[str] = set()

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def counting(*args: Any) -> Any:
            called.add(name)
            return method(*args)

        return counting

    for owner, name, _around in CHANGED:
        assert name in vars(owner)
        monkeypatch.setattr(owner, name, counted(name, getattr(owner, name)))
    async with client(tmp_path) as shown:
        shown.app.call_next(lambda: None)
        await shown.shows("What shall we talk about?")
    assert called == {name for _owner, name, _around in CHANGED}


@pytest.mark.parametrize(
    "cause", [lambda app: app.call_later(fail), lambda app: app.session._tasks.spawn(fail_soon())]
)
async def test_a_test_fails_by_an_error_that_nothing_expects(
    tmp_path: Path, cause: Callable[[PalaverApp], object]
) -> None:
    async def unexpected() -> None:
        async with client(tmp_path) as shown:
            await shown.until(lambda: shown.app._frames.painted)
            cause(shown.app)
            await shown.pilot.pause()

    with pytest.raises(Broken):
        await unexpected()


def test_reports_and_kinds_are_bounded(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 3):
        (tmp_path / f"2020010{number:02}T000000-1.txt").touch()
    errors = ErrorLog(tmp_path, {"TERM": "xterm"})
    for number in range(MOST_KINDS + 2):
        errors.note(type(f"Error{number}", (Exception,), {})())
    assert "and 2 more" in errors.report()
    errors.write(T0)
    path = errors.path
    assert path is not None
    left = sorted(tmp_path.glob("*.txt"))
    assert len(left) == MOST_FILES
    assert path in left
    assert str(os.getpid()) in path.name
