"""Actors on one chat, and every order of their steps.

An actor is a generator: what it does up to a `yield` is one step, at most one commit. Reading and
acting are separate steps, so that everything may happen between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, pairwise
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from palaver.wire.chats import CreateChat
from palaver.wire.messages import Message, Text, ToolCall, ToolResult
from palaverd.chatstate.errors import FenceLost
from palaverd.chatstate.execution import Fence
from palaverd.chatstate.invariants import progress_violations
from palaverd.chatstate.states import STORED, Status
from palaverd.store.check import violations
from palaverd.store.history import NewMessage
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow
from palaverd.store.sync import load_chat, load_page, load_queue
from palaverd.store.transitions.interrupt import finish_interruption
from palaverd.store.transitions.ownership import acquire
from palaverd.store.transitions.turn import (
    commit_response,
    commit_results,
    finish_turn,
    record_attempt,
)
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat
from support.inline import at_once, inline_door
from support.store import OWNER, context_of


class World:
    """One chat, what was acknowledged to whom, and its invariants.

    With `calls` the first response of its worker calls a tool.
    """

    def __init__(self, connection: Connection) -> None:
        self.calls = False
        self.connection = connection
        self.door = inline_door(connection)
        self.context = context_of(self.door)
        self.acknowledged: list[str] = []
        self.dropped: list[str] = []
        sent = at_once(create_chat(self.context, Asker(OWNER), CreateChat("m0", title="t")))
        self.chat_id = sent.chat.id
        self.acknowledged.append("m0")
        self.before = self.row

    @property
    def row(self) -> ChatRow:
        return load_chat(self.connection, self.chat_id)

    def history(self) -> list[Message]:
        return load_page(self.connection, self.chat_id, limit=200)[0][::-1]

    def queue(self) -> list[str]:
        return [one.content for one in load_queue(self.connection, self.chat_id)]

    def apply(self, work: Callable[[LockedChat], object], fence: Fence | None = None) -> None:
        at_once(self.door.apply(self.chat_id, work, fence=fence))

    def check(self) -> None:
        """Assert what must hold after every commit."""
        row = self.row
        wrong = violations(self.connection, self.chat_id)
        assert wrong == [], wrong
        assert row.state in STORED
        assert progress_violations(self.before, row) == []
        self.before = row

    def check_end(self) -> None:
        """Assert that each acknowledged message is in one place, answers below questions."""
        messages = self.history()
        there = [text_of(m) for m in messages if m.role == "user"] + self.queue() + self.dropped
        assert sorted(there) == sorted(self.acknowledged), f"{there}, not {self.acknowledged}"
        for number, (above, message) in enumerate(pairwise(messages)):
            if message.role == "assistant":
                asked = above if above.role != "tool" else last_asked(messages[: number + 1])
                assert text_of(message) == answer_to(asked), f"{message} below {above}"


def text_of(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


def last_asked(messages: Sequence[Message]) -> Message:
    return [message for message in messages if message.role == "user"][-1]


def answer_to(message: Message) -> str:
    return f"answer to {text_of(message)}"


Steps = Iterator[None]


class Actor(NamedTuple):
    """An actor and its number of steps."""

    act: Callable[[World], Steps]
    steps: int


def worker(name: str) -> Callable[[World], Steps]:
    """Acquire the chat, then do what its status requires; a lost fence ends a task only."""

    def work(world: World) -> Steps:
        world.apply(lambda chat: acquire(chat, "worker", name))
        while True:
            row, answer = world.row, _answer(world)
            tasks = _tasks(world, row) if row.runner_id == name else ()
            fence = Fence(name, row.history_version, row.status)
            yield
            for transition in tasks:
                before = world.row
                try:
                    world.apply(partial(transition, answer=answer), fence)
                except FenceLost:
                    assert world.row == before
                    break
                yield

    return work


def _answer(world: World) -> NewMessage:
    """Answer the last question that the worker saw when its task began."""
    return NewMessage(role="assistant", parts=[Text(answer_to(last_asked(world.history())))])


def _tasks(world: World, row: ChatRow) -> Sequence[Callable[..., object]]:
    """Return what a worker does with the chat as it is."""
    last = world.history()[-1]
    if any(isinstance(part, ToolCall) for part in last.parts):
        return _CALL_TASKS.get(row.status, ())
    if world.calls and row.status == Status.RUNNING and text_of(last) == "m0":
        return (_begin, _call)
    return _TASKS.get(row.status, ())


def _begin(chat: LockedChat, answer: NewMessage) -> None:
    record_attempt(chat, answer.model)


def _call(chat: LockedChat, answer: NewMessage) -> None:
    call = ToolCall(id="call", name="look", arguments="{}")
    commit_response(chat, replace(answer, parts=[*answer.parts, call]))


def _results(chat: LockedChat, answer: NewMessage) -> None:
    commit_results(chat, [ToolResult(call_id="call", text="result")])


def _end(chat: LockedChat, answer: NewMessage) -> None:
    commit_response(chat, answer)
    finish_turn(chat)


def _stop(chat: LockedChat, answer: NewMessage) -> None:
    finish_interruption(chat, answer)


def _cut(chat: LockedChat, answer: NewMessage) -> None:
    finish_interruption(chat, None)


_TASKS: dict[str, Sequence[Callable[..., object]]] = {
    Status.RUNNING: (_begin, _end),
    Status.INTERRUPTING: (_stop,),
}


# With an open call.
_CALL_TASKS: dict[str, Sequence[Callable[..., object]]] = {
    Status.RUNNING: (_results,),
    Status.INTERRUPTING: (_cut,),
}


def orders(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield every order of steps in which each actor keeps its own."""
    if not any(counts):
        yield ()
    for index, count in enumerate(counts):
        if count:
            rest = [*counts[:index], count - 1, *counts[index + 1 :]]
            for order in orders(rest):
                yield (index, *order)


def tell(
    connection: Connection,
    prepare: Callable[[World], None],
    actors: Sequence[Actor],
    every: int = 1,
) -> int:
    """Run the actors in each order, or each `every`th, each time on a new chat.

    Returns the number of orders.

    Raises:
        AssertionError: an invariant fails in some order, which is named.
    """
    count = 0
    for order in islice(orders([actor.steps for actor in actors]), 0, None, every):
        with connection.begin() as transaction:
            world = World(connection)
            prepare(world)
            acting = [actor.act(world) for actor in actors]
            try:
                for index in order:
                    next(acting[index], None)
                    world.check()
                _settle(world)
            except Exception as error:
                raise AssertionError(f"in the order {order}: {error!r}") from error
            transaction.rollback()
        count += 1
    return count


def _settle(world: World) -> None:
    """Let a last worker do the remaining work."""
    last = worker("last")(world)
    for _ in range(60):
        if world.row.status not in _TASKS:
            break
        next(last)
    else:
        raise AssertionError("work is left that nobody does")
    world.check()
    world.check_end()
