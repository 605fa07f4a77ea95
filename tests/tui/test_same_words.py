"""Two clients send the same text, one of them while offline, in every order of events.

The daemon's part is real: the transitions of the store on a database, and the events of its stream.
A schedule between it and one client decides when each request arrives, when the stream is read,
when the connection is lost, and whether the response to a request is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace as altered
from sqlalchemy import Connection

from palaver.stream.progress import Progress, step
from palaver.wire.chats import Sent
from palaver.wire.events import CaughtUp, StreamEvent
from palaver.wire.messages import Message, QueuedMessage, Text
from palaver_tui.state import reduce as subject
from palaver_tui.state.chat import UNREAD, ChatView, Outgoing
from palaver_tui.state.outgoing import acknowledged, marked, sending
from palaver_tui.state.reduce import reduce_all
from palaverd.chatstate.states import State
from palaverd.store.door import finish
from palaverd.store.history import NewMessage, NewUserMessage
from palaverd.store.listing import where_is
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import Changes, load_changes, load_chat
from palaverd.store.transitions.send import Placed, send
from palaverd.store.transitions.turn import commit_response, finish_turn
from palaverd.stream.changes import events_for
from support.store import NOW, memory_store, plant
from tui.replay import T0

WORDS = "continue"
MINE, THEIRS = "my key", "their key"

# The events. Those of one line happen in its order, the lines in any.
Lines = tuple[tuple[str, ...], ...]
ELSE: Lines = (("their request",), ("cut",))
MY_REQUEST: dict[str, Lines] = {
    "answered": (("my request", "my answer"), ("told", "told")),
    "answer lost": (("my request", "answer lost", "my request again"), ("told",)),
}
TURNS: dict[State, Lines] = {
    State.W: (("turn ends",),),
    State.R0: (("turn ends", "turn ends"),),
}


def first_of(lines: Lines) -> Iterator[tuple[str, Lines]]:
    """Yield each possible next event, with the remaining lines."""
    for index, line in enumerate(lines):
        if line:
            yield line[0], (*lines[:index], line[1:], *lines[index + 1 :])


class Chat:
    """A chat after some commits: the events of its stream, and responses to repeated requests."""

    def __init__(self, connection: Connection, placed: dict[str, Placed]) -> None:
        self.row: ChatRow = load_chat(connection, "c")
        self.answers = {
            key: _sent(connection, self.row, where, repeated=True) for key, where in placed.items()
        }
        newest = self.row.snapshot_version
        self._changes: dict[int | None, Changes] = {
            since: load_changes(connection, "c", since) for since in (None, *range(newest + 1))
        }
        self.history = [change.message for change in self._changes[None].messages]
        self.queue = self._changes[None].queue or []

    def told(self, before: ChatRow | None, since: int | None) -> list[StreamEvent]:
        return events_for(self._changes[since], before, since, None)


def _sent(connection: Connection, row: ChatRow, where: Placed, *, repeated: bool = False) -> Sent:
    message, queued = where_is(connection, "c", where.message_id, where.queued_id)
    return Sent(wire_chat(row), message, queued, repeated=repeated)


class Commits:
    """The chat after each order of commits. Each is computed once, in a database of its own."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._made: dict[tuple[str, ...], tuple[Chat, Sent | None]] = {}

    def __call__(self, commits: tuple[str, ...]) -> tuple[Chat, Sent | None]:
        """Return the chat, and the response to the last commit if that was a request."""
        if commits not in self._made:
            with memory_store() as connection, connection.begin():
                self._made[commits] = self._make(connection, commits)
        return self._made[commits]

    def _make(self, connection: Connection, commits: tuple[str, ...]) -> tuple[Chat, Sent | None]:
        plant(connection, self._state)
        placed: dict[str, Placed] = {}
        answer: Sent | None = None
        for commit in commits:
            chat = lock(connection, "c", NOW)
            answer = None
            if commit == "turn ends":
                _end_turn(chat)
                finish(chat, None)
            else:
                key = MINE if commit == "my request" else THEIRS
                placed[key] = send(chat, NewUserMessage(WORDS, key=key))
                finish(chat, None)
                answer = _sent(connection, chat.row, placed[key])
        return Chat(connection, placed), answer


def _end_turn(chat: LockedChat) -> None:
    if chat.row.status == "running":
        commit_response(chat, NewMessage(role="assistant", parts=[Text("yes")]))
        finish_turn(chat)


@dataclass
class Me:
    """The client that wrote its message while offline."""

    commits: Commits
    view: ChatView = field(default_factory=lambda: ChatView(chat_id="c"))
    made: tuple[str, ...] = ()
    answer: Sent | None = None
    progress: Progress = UNREAD
    row: ChatRow | None = None  # last row that this connection has sent
    since: int | None = None  # snapshot version up to which this connection has sent

    @property
    def chat(self) -> Chat:
        return self.commits(self.made)[0]

    @property
    def is_outgoing(self) -> bool:
        return any(item.key == MINE for item in self.view.outgoing)

    def happens(self, event: str) -> None:
        match event:
            case "my request" | "their request" | "turn ends":
                self.made = (*self.made, event)
                answer = self.commits(self.made)[1]
                if event == "my request":
                    self.answer = answer
            case "my answer":
                assert self.answer is not None
                self.view = acknowledged(self.view, MINE, self.answer)
            case "answer lost":
                self.view = marked(self.view, MINE, "waiting")
            case "my request again" if self.is_outgoing:
                self.view = acknowledged(self.view, MINE, self.chat.answers[MINE])
            case "told":
                self.told()
            case "cut":
                self.row, self.since = None, self.progress.since

    def told(self) -> None:
        """Read all new events of the stream, and skip known parts as a client does."""
        chat = self.chat
        if self.row is not None and self.row.snapshot_version == chat.row.snapshot_version:
            return
        news: list[StreamEvent] = []
        snapshot = chat.row.snapshot_version
        for event in [*chat.told(self.row, self.since), CaughtUp(snapshot)]:
            self.progress, new = step(self.progress, event)
            news += [new] if new is not None else []
        self.row, self.since = chat.row, snapshot
        self.view = reduce_all(self.view, news, T0)

    def goes_on(self) -> None:
        """Finish: repeat the request if necessary, and read the stream."""
        self.happens("my request again")
        self.told()

    def seen(self) -> list[str | None]:
        """Return the keys of all shown messages in their order: history, outgoing, queue."""
        shown: list[Message | QueuedMessage | Outgoing] = [
            *(message for message in self.view.messages if message.role == "user"),
            *self.view.outgoing,
            *self.view.queue,
        ]
        return [one.key for one in shown]

    def holds(self, order: tuple[str, ...]) -> None:
        """Check the invariants after an event."""
        seen = Counter(key for key in self.seen() if key is not None)
        assert max(seen.values(), default=0) <= 1, f"doubled: {order}"
        assert "my request" in self.made or self.is_outgoing, f"dropped before sent: {order}"

    def ended(self, order: tuple[str, ...]) -> None:
        """Check the final state."""
        chat = self.chat
        asked = [message.key for message in chat.history if message.role == "user"]
        assert self.seen() == asked + [queued.key for queued in chat.queue], order
        assert self.view.messages == tuple(chat.history), order
        assert self.view.queue == tuple(chat.queue), order
        assert sorted(key for key in self.seen() if key) == [MINE, THEIRS]


def follow(me: Me, lines: Lines, order: tuple[str, ...] = ()) -> int:
    """Run the events in every order of the lines; return the number of orders.

    Raises:
        AssertionError: a message is lost or doubled.
    """
    count = 0
    for event, rest in first_of(lines):
        one = copy(me)
        one.happens(event)
        one.holds((*order, event))
        count += follow(one, rest, (*order, event))
    if count:
        return count
    me.goes_on()
    me.ended(order)
    return 1


COMMITS = {state: Commits(state) for state in TURNS}


def everything(state: State, request: str) -> int:
    """Run all events in every order; return the number of orders."""
    me = Me(COMMITS[state])
    me.told()  # the initial state of the chat
    me.view = sending(me.view, Outgoing(MINE, WORDS, T0, state="waiting"))
    return follow(me, (*MY_REQUEST[request], *TURNS[state], *ELSE))


@pytest.mark.parametrize("request_is", MY_REQUEST)
@pytest.mark.parametrize("state", TURNS, ids=["idle", "busy"])
def test_each_message_is_there_once_and_in_its_place(state: State, request_is: str) -> None:
    assert everything(state, request_is) > 500


def by_content(view: ChatView, messages: Iterable[Message | QueuedMessage]) -> ChatView:
    """Remove outgoing messages by their content instead of their keys, as clients did before."""
    for message in messages:
        text = message.content if isinstance(message, QueuedMessage) else subject.user_text(message)
        for index, item in enumerate(view.outgoing):
            if item.content == text:
                rest = view.outgoing[:index] + view.outgoing[index + 1 :]
                view = altered(view, outgoing=rest)
                break
    return view


@pytest.mark.parametrize("state", TURNS, ids=["idle", "busy"])
def test_known_by_its_content_a_message_is_lost(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "arrived", by_content)
    with pytest.raises(AssertionError, match="dropped before sent"):
        everything(state, "answered")
