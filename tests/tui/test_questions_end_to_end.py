"""Questions between a real daemon and its clients: who answers first, and who comes later."""

from __future__ import annotations

import json

from palaver.wire.actions import Answers, CallAnswer
from tools.test_asking import asking
from tui.stage import Stage, stage

SIZE = (100, 30)


async def is_asked(s: Stage) -> None:
    """Send a message that has the model ask, and wait for its question."""
    await s.ask(asking(options=["red", "blue"]))

    def asks() -> bool:
        s.let_them_finish()
        return s.view.status == "requires_action" and bool(s.view.asked)

    await s.until(asks)
    await s.shows("The model asks", "Which colour?", "1  red", "2  blue")


async def ends(s: Stage) -> None:
    def ended() -> bool:
        s.let_them_finish()
        return s.view.status == "waiting"

    await s.until(ended)


async def test_a_key_answers_and_the_model_goes_on() -> None:
    async with stage(SIZE) as s:
        await is_asked(s)
        await s.until(lambda: s.app.main.question.has_focus)
        s.tap("2")
        await ends(s)
        assert '"blue"' in json.dumps(s.simulator.requests[-1].body)
        await s.until(lambda: "The model asks" not in s.text())


async def test_the_first_answer_counts_and_the_other_client_is_told() -> None:
    async with stage(SIZE) as s:
        await is_asked(s)
        [call] = s.view.asked
        turn = (await s.requests.chat(s.chat_id)).versions.turn
        answers = Answers(turn, [CallAnswer(call.call_id, text="green")])
        await s.requests.answer_calls(s.chat_id, answers)
        await s.shows("answered by another client: green")
        await ends(s)
        await s.until(lambda: "The model asks" not in s.text())


async def test_who_opens_the_chat_later_is_asked_too() -> None:
    async with stage(SIZE) as s:
        await is_asked(s)
        asked = s.chat_id
        s.app.session.new_chat()
        await s.hides("The model asks")
        await s.shows("? asks")
        s.app.session.views.pop(asked)
        s.app.session.open(asked)
        await s.shows("The model asks", "Which colour?", "1  red")
        await s.until(lambda: s.app.main.question.has_focus)
        s.tap("1")
        await ends(s)
