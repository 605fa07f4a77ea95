"""An error of the client's own: told in it, once, with a report; and the client goes on."""

import os
import stat

import pytest
from textual import events
from textual.message import Message

from palaver_tui.mishaps import MOST_FILES, MOST_KINDS, Mishaps
from palaver_tui.widgets.composer import Composer
from palaver_tui.widgets.help import HelpScreen
from palaver_tui.widgets.transcript import Transcript
from tui.replay import T0
from tui.screen import client

SECRET = "sk-ant-secret, and what a person wrote"


class Broken(Exception):
    pass


def fail(*_args, **_kwargs):
    raise Broken(SECRET)


async def fail_soon(*_args, **_kwargs):
    raise Broken(SECRET)


def message(app, monkeypatch):
    class Poke(Message):
        handler_name = "on_poke"

    monkeypatch.setattr(Composer, "on_poke", fail, raising=False)
    app.main.query_one(Composer).post_message(Poke())


def app_message(app, monkeypatch):
    monkeypatch.setattr(type(app), "on_transcript_marked", fail)
    app.post_message(Transcript.Marked())


def action(app, monkeypatch):
    monkeypatch.setattr(type(app), "do_app_theme", fail)
    app.post_message(events.Key("f2", None))


def timer(app, monkeypatch):
    app.set_timer(0.001, fail)


def worker(app, monkeypatch):
    app.run_worker(fail_soon())


def later(app, monkeypatch):
    app.main.query_one(Composer).call_later(fail)


def following(app, monkeypatch):
    app.call_next(fail)
    app._changed()  # a paint that stands behind what fails is not lost


def refreshed(app, monkeypatch):
    app.main.query_one(Composer).call_after_refresh(fail)


def task(app, monkeypatch):
    app.session._spawn(fail_soon())


def lines(app, monkeypatch):
    strips = app.main.query_one(Transcript)._strips
    monkeypatch.setattr(type(strips), "rows", fail)
    app.main.query_one(Transcript).refresh()


def render(app, monkeypatch):
    prompt = app.main.query_one("#prompt")
    monkeypatch.setattr(type(prompt), "render", fail)
    prompt.refresh(layout=True)


def compose(app, monkeypatch):
    monkeypatch.setattr(HelpScreen, "compose", fail)
    app.perform("app.help")


def painting(app, monkeypatch):
    def once(*args, **kwargs):
        monkeypatch.undo()
        fail()

    monkeypatch.setattr(type(app._painter), "paint", once)
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
async def test_an_error_is_told_and_the_client_goes_on(place, tmp_path, monkeypatch) -> None:
    async with client(tmp_path, keeps_errors=True) as shown:
        await shown.shows("What shall we talk about?")
        place(shown.app, monkeypatch)
        await shown.until(lambda: shown.app.mishaps)
        if place is not render:  # which is all that is written in a notice, too
            await shown.shows("Something went wrong in the client", "F8 copies a report")
        monkeypatch.undo()
        await shown.press("escape")
        await shown.press("h", "i")
        assert shown.composer.text == "hi"
        await shown.press("enter")
        await shown.until(lambda: not shown.composer.text)
        await shown.until(lambda: not shown.app._frames._pending)
        report = shown.app.mishaps.report()
        assert "Broken at tui/test_mishaps.py" in report
        assert SECRET not in report
        path = shown.app.mishaps.path
        assert "Broken at tui/test_mishaps.py" in path.read_text()
        assert SECRET not in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        copied = []
        monkeypatch.setattr(shown.app, "_put", lambda text, what: copied.append((text, what)))
        await shown.press("f8")
        assert copied == [(shown.app.mishaps.report(), "the report")]


async def test_an_error_that_repeats_is_told_once(tmp_path) -> None:
    async with client(tmp_path, keeps_errors=True) as shown:
        await shown.until(lambda: shown.app._frames.painted)
        for _ in range(50):
            shown.app.call_later(fail)
        await shown.until(lambda: "(50 times)" in shown.app.mishaps.report())
        assert len(shown.app._notifications) == 1


async def test_an_error_of_a_widget_that_is_drawn_is_said_in_its_place(
    tmp_path, monkeypatch
) -> None:
    async with client(tmp_path, keeps_errors=True) as shown:
        await shown.until(lambda: shown.app._frames.painted)
        lines(shown.app, monkeypatch)
        await shown.shows("could not be drawn")
        monkeypatch.undo()
        shown.transcript.refresh()
        await shown.hides("could not be drawn")


async def test_a_test_fails_by_an_error_that_nothing_expects(tmp_path) -> None:
    async def unexpected() -> None:
        async with client(tmp_path) as shown:
            await shown.until(lambda: shown.app._frames.painted)
            shown.app.call_later(fail)
            await shown.pilot.pause()

    with pytest.raises(Broken):
        await unexpected()


def test_reports_and_kinds_are_bounded(tmp_path) -> None:
    for number in range(MOST_FILES + 3):
        (tmp_path / f"2020010{number:02}T000000-1.txt").touch()
    mishaps = Mishaps(tmp_path, {"TERM": "xterm"})
    for number in range(MOST_KINDS + 2):
        mishaps.note(type(f"Error{number}", (Exception,), {})())
    assert "and 2 more" in mishaps.report()
    path = mishaps.write(T0)
    left = sorted(tmp_path.glob("*.txt"))
    assert len(left) == MOST_FILES
    assert path in left
    assert str(os.getpid()) in path.name
