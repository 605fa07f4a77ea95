"""Random operations, valid and invalid, on the store and on a plain model: they must agree."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select

from model.chat_model import ChatModel
from palaver.wire.actions import CallAnswer
from palaver.wire.messages import Failure, Part, Text, ToolCall, ToolResult
from palaverd.chatstate.errors import TransitionError
from palaverd.chatstate.invariants import progress_violations
from palaverd.store import codec
from palaverd.store.calls import WantedCall, stored_calls
from palaverd.store.check import violations
from palaverd.store.door import NewChat, finish, fresh_chat
from palaverd.store.history import NewMessage, NewUserMessage, queue_ids
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow
from palaverd.store.sync import load_chat, load_queue
from palaverd.store.tables import messages
from palaverd.store.transitions import (
    archive,
    edit,
    interrupt,
    queue,
    required_action,
    retry,
    send,
    turn,
)
from support.engines import ENGINES, Engine
from support.store import ERROR, NOW, OWNER, dump, memory_store, retry_info

# 200 examples a run; 10,000 with PALAVER_MODEL_EXAMPLES=10000.
EXAMPLES = int(os.environ.get("PALAVER_MODEL_EXAMPLES", "200"))
STEPS = 30
INDEX = st.integers(0, 3)


class Stories(RuleBasedStateMachine):
    """One chat in a real database, and its model."""

    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        self.model = ChatModel()
        self.count = 0
        self.calls: list[str] = []
        self.before: ChatRow | None = None
        self.transaction = self.connection.begin()

    def teardown(self) -> None:
        self.transaction.rollback()

    # --- telling ----------------------------------------------------------------------------

    def word(self) -> str:
        self.count += 1
        return f"m{self.count}"

    def tell(self, expected: bool, work: Callable[[LockedChat], Any]) -> Any:
        """Apply `work` in its own savepoint; it must succeed exactly if the model did."""
        stored = dump(self.connection)
        refused, changed, result = False, False, None
        savepoint = self.connection.begin_nested()
        chat = lock(self.connection, "c", NOW)
        try:
            result = work(chat)
        except TransitionError:
            refused = True
            savepoint.rollback()
        else:
            changed = finish(chat, None).changed
            savepoint.commit()
        assert refused != expected, "store and model do not agree on what is refused"
        if not changed:
            assert dump(self.connection) == stored
        return result

    @property
    def row(self) -> ChatRow:
        return load_chat(self.connection, "c")

    @initialize()
    def begin(self) -> None:
        text = self.word()
        self.model.history.append(("user", text))
        chat = fresh_chat(self.connection, "c", NewChat(owner=OWNER, title="t"), NOW)
        send.create(chat, NewUserMessage(text))
        finish(chat, None)

    # --- a user -----------------------------------------------------------------------------

    @rule()
    def send(self) -> None:
        text = self.word()
        self.tell(self.model.send(text), lambda c: send.send(c, NewUserMessage(text)))

    @rule()
    def fill_the_queue(self) -> None:
        for _ in range(12):
            self.send()

    @rule(position=st.none() | st.integers(0, 25))
    def send_interrupt(self, position: int | None) -> None:
        text = self.word()
        self.tell(
            self.model.send_interrupt(text, position),
            lambda c: send.send_interrupt(c, NewUserMessage(text), position),
        )

    @rule()
    def send_steer(self) -> None:
        text = self.word()
        self.tell(self.model.send_steer(text), lambda c: send.send_steer(c, NewUserMessage(text)))

    @rule(hold=st.booleans())
    def interrupt(self, hold: bool) -> None:
        self.model.interrupt(hold)
        self.tell(True, lambda c: interrupt.interrupt(c, c.row.turn_version, hold_queue=hold))

    @rule(hold=st.booleans(), behind=st.integers(1, 9))
    def interrupt_a_turn_that_is_over(self, hold: bool, behind: int) -> None:
        said = self.tell(
            True, lambda c: interrupt.interrupt(c, c.row.turn_version - behind, hold_queue=hold)
        )
        assert isinstance(said, str)

    @rule(index=INDEX)
    def edit(self, index: int) -> None:
        text = self.word()
        ids = [one.id for one in self.history()]
        message_id = ids[index] if index < len(ids) else 10**9
        self.tell(
            self.model.edit(index, text),
            lambda c: edit.edit(c, message_id, NewUserMessage(text), c.row.history_version),
        )

    @rule()
    def edit_what_has_changed(self) -> None:
        self.tell(False, lambda c: edit.edit(c, 1, NewUserMessage("x"), -1))

    @rule()
    def hold(self) -> None:
        self.tell(self.model.hold(), queue.hold_queue)

    @rule()
    def release(self) -> None:
        self.tell(self.model.release(), queue.release_queue)

    @rule(index=INDEX)
    def delete_queued(self, index: int) -> None:
        wanted = self.queued(index)
        self.tell(self.model.delete_queued(index), lambda c: queue.delete_queued(c, wanted))

    @rule()
    def reverse_queue(self) -> None:
        ids = queue_ids(self.connection, "c")[::-1]
        self.tell(self.model.reverse_queue(), lambda c: queue.reorder_queued(c, ids))

    @rule()
    def reorder_with_a_stranger(self) -> None:
        ids = [*queue_ids(self.connection, "c"), 10**9]
        self.tell(False, lambda c: queue.reorder_queued(c, ids))

    @rule(index=INDEX)
    def promote(self, index: int) -> None:
        wanted = self.queued(index)
        self.tell(
            self.model.promote(index),
            lambda c: queue.promote_queued(c, wanted, c.row.turn_version),
        )

    @rule(later=st.booleans())
    def resume(self, later: bool) -> None:
        at = NOW + 1000 if later else None
        self.tell(self.model.resume(later), lambda c: retry.resume(c, c.row.turn_version, at))

    @rule()
    def skip(self) -> None:
        self.tell(
            self.model.skip(),
            lambda c: retry.skip_backoff(c, c.row.turn_version, c.row.retry_version),
        )

    @rule()
    def clear(self) -> None:
        self.tell(self.model.clear(), lambda c: edit.clear_context(c, c.row.history_version))

    @rule()
    def archive(self) -> None:
        self.tell(self.model.archive(), lambda c: archive.archive([c]))

    @rule()
    def unarchive(self) -> None:
        self.tell(self.model.unarchive(), lambda c: archive.unarchive([c], None))

    @precondition(lambda self: self.calls)
    @rule(index=INDEX)
    def answer(self, index: int) -> None:
        call = self.calls[index % len(self.calls)]
        if not self.known(call):
            return
        given = CallAnswer(call_id=call, text="yes")
        self.tell(
            self.model.answer(call),
            lambda c: required_action.complete_action(c, c.row.turn_version, [given], OWNER),
        )

    # --- the daemon -------------------------------------------------------------------------

    @rule()
    def attempt(self) -> None:
        self.tell(self.model.attempt(), lambda c: turn.record_attempt(c, "sonnet"))

    @rule()
    def retry(self) -> None:
        info = retry_info()
        self.tell(self.model.retry(), lambda c: turn.record_retry(c, info))

    @rule(number=st.integers(0, 2))
    def commit(self, number: int) -> None:
        if self.model.calls:
            return  # a response with open calls before it never comes: their results do
        text = self.word()
        calls = [f"{text}-{n}" for n in range(number)]
        parts: list[Part] = [Text(text)]
        parts += [ToolCall(id=c, name="ask", arguments="{}") for c in calls]
        message = NewMessage(role="assistant", parts=parts)
        if self.model.status == "running":
            self.calls += calls
        self.tell(self.model.commit(text, calls), lambda c: turn.commit_response(c, message))

    @rule()
    def commit_results(self) -> None:
        if not self.model.calls:
            return
        results = [ToolResult(call_id=call, text="done") for call in self.model.calls]
        self.tell(self.model.commit_results(), lambda c: turn.commit_results(c, results))

    @rule()
    def require(self) -> None:
        if self.model.status == "running" and not self.model.calls:
            return
        wanted = [WantedCall(c, "result", None) for c in self.model.calls or ["none"]]
        self.tell(self.model.require(), lambda c: required_action.require_action(c, wanted))

    @rule()
    def finish_turn(self) -> None:
        if self.model.calls:
            return  # a turn ends when its calls have results
        self.tell(self.model.finish_turn(), turn.finish_turn)

    @rule(partial=st.booleans())
    def finish_interruption(self, partial: bool) -> None:
        text = self.word() if partial and not self.model.calls else None
        message = NewMessage(role="assistant", parts=[Text(text)]) if text else None
        self.tell(
            self.model.finish_interruption(text),
            lambda c: interrupt.finish_interruption(c, message),
        )

    @rule()
    def finish_error(self) -> None:
        self.tell(self.model.finish_error(), lambda c: turn.finish_error(c, ERROR))

    # --- what must agree --------------------------------------------------------------------

    def queued(self, index: int) -> int:
        ids = queue_ids(self.connection, "c")
        return ids[index] if index < len(ids) else 10**9

    def known(self, call: str) -> bool:
        return call in stored_calls(self.connection, "c", [call])

    def history(self) -> list[Any]:
        return list(
            self.connection.execute(
                select(messages.c.id, messages.c.role, messages.c.parts)
                .where(messages.c.chat_id == "c", ~messages.c.deleted)
                .order_by(messages.c.id)
            )
        )

    @invariant()
    def store_and_model_agree(self) -> None:
        row, model = self.row, self.model
        assert violations(self.connection, "c") == []
        assert (row.status, row.archived) == (model.status, model.archived)
        assert row.queue_held == model.held
        queue = load_queue(self.connection, "c")
        assert [q.content for q in queue] == model.queue
        steers = [q.content for q in queue if q.steer_turn == row.turn_version]
        assert steers == [text for text in model.queue if model.steers(text)]
        assert row.turn_steps == model.steps
        assert [(m.role, _said(m.parts)) for m in self.history()] == model.history
        assert (row.retry is not None) == model.retrying
        assert (row.resume_at is not None) == model.appointed
        assert row.generation_attempt == model.attempts
        if self.before is not None:
            assert progress_violations(self.before, row) == []
        self.before = row


def _said(parts: str) -> str:
    """Return a message as in the model: its text, the calls that it answers, or its failure."""
    loaded = codec.load_parts(parts)
    if any(isinstance(part, ToolResult) for part in loaded):
        return " ".join(part.call_id for part in loaded if isinstance(part, ToolResult))
    if any(isinstance(part, Failure) for part in loaded):
        return "failed"
    return "".join(part.text for part in loaded if isinstance(part, Text))


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_the_store_agrees_with_the_model_in_every_story(engine: Engine) -> None:
    with engine.store() as connection:
        bound = type("BoundStories", (Stories,), {"connection": connection})
        run_state_machine_as_test(
            bound,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_the_stories_would_notice_a_lost_message() -> None:
    """The check can fail: a message that the store drops is found."""
    with memory_store() as connection:
        bound = type("BoundStories", (Stories,), {"connection": connection})
        story = bound()
        story.begin()
        story.model.history.append(("user", "lost"))
        with pytest.raises(AssertionError):
            story.store_and_model_agree()
        story.teardown()
