"""Stories: the steps that bring the running client into each state that is photographed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from palaver.wire.chats import Interrupt
from tui.stage import Stage

Story = Callable[[Stage], Awaitable[None]]
QUESTION = "Why is the sky blue?"
CODE = "Show me how to run several tasks at once in Python."
FOLLOWING = ("Then explain it to a child of five", "And as a haiku")


async def empty(me: Stage) -> None:
    await me.shows("What shall we talk about?", "sonnet")


async def first_run(me: Stage) -> None:
    await me.shows("palaver demo")


async def _others(me: Stage) -> None:
    """Create chats in every state for the list.

    They answer at once or not at all: only the open chat streams at the stage's pace.
    """
    await me.chat("Names for the new service", "[[rate=0]] Names for a chat service?", "waiting")
    held = await me.chat(
        "Why is the build slow", "[[rate=0]] [[silence after=9 times=9]] Why?", "running"
    )
    await me.send(held, "And what would make it faster?")
    await me.requests.interrupt(held.id, _now(me, held.id))
    await me.chat_is(held.id, "paused")
    await me.chat("Release notes", "[[rate=0]] Compare the releases", "waiting")
    await me.chat("Port the parser", "[[401]] Port the parser", "error")
    await me.chat("Nightly triage", "[[rate=0]] [[silence after=30 times=9]] Triage", "running")


def _now(me: Stage, chat_id: str) -> Interrupt:
    return Interrupt(me.app.session.chats.chats[chat_id].versions.turn, hold_queue=True)


async def finished(me: Stage) -> None:
    await _others(me)
    await me.asked(QUESTION)
    await me.chat_is(me.chat_id, "waiting")


async def streaming(me: Stage) -> None:
    await finished(me)
    me.clock.pass_by(60)
    await me.ask(CODE)
    await me.speak(100)
    await me.until(lambda: me.listed.status == "running")
    me.clock.pass_by(4)
    await me.shows("is answering")


def has_queued(me: Stage, count: int) -> bool:
    return len(me.view.queue) == count


async def queueing(me: Stage) -> None:
    await streaming(me)
    for count, text in enumerate(FOLLOWING, 1):
        await me.ask(text)
        await me.until(partial(has_queued, me, count))
    await me.until(lambda: me.listed.queue_length == len(FOLLOWING))


async def queue_in_focus(me: Stage) -> None:
    await queueing(me)
    await me.tap_queue()
    me.tap("down")
    await me.shows("send now")


async def held(me: Stage) -> None:
    await queueing(me)
    me.tap("escape")
    await me.until(lambda: me.view.status == "paused" and me.view.messages[-1].finish)
    await me.until(lambda: me.listed.status == "paused")
    me.app.clear_notifications()
    await me.shows("stopped here")


async def retrying(me: Stage) -> None:
    await finished(me)
    me.clock.pass_by(60)
    await me.ask(f"[[529 times=2 retry-after=20]] {CODE}")
    await me.shows("Retrying in")
    me.clock.pass_by(5)
    await me.shows("Retrying in 15 s")


async def failed(me: Stage) -> None:
    await finished(me)
    me.clock.pass_by(60)
    await me.ask(f"[[401]] {CODE}")
    await me.shows("The key was not accepted")


async def disconnected(me: Stage) -> None:
    await finished(me)
    await me.real_daemon.stop()
    await me.until(lambda: me.app.session.connection.phase == "reconnecting")
    me.clock.pass_by(12)
    await me.ask(CODE)
    await me.shows("Lost the connection", "waiting for the connection")


async def help_screen(me: Stage) -> None:
    await finished(me)
    await me.press("f1")
    await me.shows("Esc closes")


async def palette(me: Stage) -> None:
    await finished(me)
    await me.press("ctrl+p")
    await me.shows("What do you want to do?", "Choose a model")


async def models(me: Stage) -> None:
    await finished(me)
    await me.press("f3")
    await me.shows("Who answers")


async def chat_list(me: Stage) -> None:
    await streaming(me)
    me.tap("ctrl+l")
    await me.shows("Port the parser")


STORIES: dict[str, Story] = {
    "empty": empty,
    "first-run": first_run,
    "streaming": streaming,
    "queued": queueing,
    "queue": queue_in_focus,
    "held": held,
    "retrying": retrying,
    "failed": failed,
    "disconnected": disconnected,
    "help": help_screen,
    "palette": palette,
    "models": models,
    "chats": chat_list,
}
