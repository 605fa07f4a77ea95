"""A search finds what a plain model finds, whatever was done to chats; no deleted word stays."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select, update

from palaver.wire.messages import Failure, Part, Reasoning, Text, ToolCall, ToolResult
from palaverd.chatstate.states import State
from palaverd.store.door import NewChat, finish, fresh_chat
from palaverd.store.history import NewUserMessage
from palaverd.store.locked import lock
from palaverd.store.retention import purge_deleted
from palaverd.store.search import fts5
from palaverd.store.search.engine import Indexed, Scope
from palaverd.store.search.engines import engine_of, how_far, index_some
from palaverd.store.search.query import read_query
from palaverd.store.search.words import indexed, text_of
from palaverd.store.tables import chats, messages, search_titles, users
from palaverd.store.transitions.archive import archive, delete_family, family, unarchive
from palaverd.store.transitions.edit import edit, fork
from support.examples import examples
from support.store import ERROR, NOW, OWNER, _driver, add_message, memory_store, plant

OTHER = "bob"
WORDS = ["relay", "drain", "timer", "pool", "dr", "悬空", "空引用", "用"]
Place = tuple[str, int | None]


@contextmanager
def searchable() -> Iterator[Connection]:
    """Open a store as the daemon's writer does."""
    with memory_store() as connection:
        fts5.keep_index(_driver(connection))
        connection.execute(insert(users).values(id=OTHER, created_at=NOW))
        yield connection


@pytest.fixture
def store() -> Iterator[Connection]:
    with searchable() as connection:
        yield connection


def index_all(store: Connection) -> Indexed:
    for _ in range(1000):
        done = index_some(store)
        if done.complete:
            return done
    raise AssertionError(f"not complete: {how_far(store)}")


def found(store: Connection, text: str, owner: str = OWNER, **scope: object) -> list[Place]:
    places = engine_of(store).find(store, read_query(text), Scope(owner, **scope))  # type: ignore[arg-type]
    return [(place.chat_id, place.message_id) for place in places]


def say(store: Connection, text: str, chat_id: str = "c", role: str = "user") -> int:
    row = lock(store, chat_id, NOW).row
    return add_message(store, row, role, [Text(text)])


# --- the plain model ------------------------------------------------------------------------


@dataclass
class Sheet:
    """A chat of the model: its messages by id."""

    title: str
    owner: str
    archived: bool = False
    said: dict[int, str] = field(default_factory=dict)


def fits(text: str, wanted: list[str], unwanted: list[str]) -> bool:
    return all(has(text, one) for one in wanted) and not any(has(text, one) for one in unwanted)


def has(text: str, term: str) -> bool:
    """Look for a term as a person would: without an index."""
    if not term.isascii():
        return term in text
    words = re.split(r"[^a-z]+", term.rstrip("*"))
    pattern = r"[\W_]+".join(words) + ("[a-z]*" if term.endswith("*") else "")
    return re.search(rf"(?<![a-z]){pattern}(?![a-z])", text) is not None


class Story:
    """Random changes of chats, made in the store and in the model."""

    def __init__(self, store: Connection, chance: random.Random) -> None:
        self.store = store
        self.chance = chance
        self.sheets: dict[str, Sheet] = {}
        self.made = 0

    def text(self) -> str:
        between = [" ", "_", ", ", "\n", "(", ""]
        words = self.chance.choices(WORDS, k=self.chance.randint(1, 6))
        return "".join(
            word + self.chance.choice(between if not word.isascii() else between[:-1])
            for word in words
        )

    def step(self) -> None:
        actions: list[Callable[[], None]] = [
            self.create,
            self.say,
            self.say,
            self.say,
            self.edit,
            self.rename,
            self.fork,
            self.put_away,
            self.bring_back,
            self.delete,
            self.purge,
            self.take_back,
            self.index,
        ]
        self.chance.choice(actions)()

    def index(self) -> None:
        index_some(self.store)

    def one(self, *, archived: bool = False) -> str | None:
        ids = [key for key, sheet in self.sheets.items() if sheet.archived is archived]
        return self.chance.choice(ids) if ids else None

    def create(self) -> None:
        self.made += 1
        chat_id, sheet = f"c{self.made}", Sheet(self.text(), self.chance.choice([OWNER, OTHER]))
        plant(self.store, State.W, chat_id=chat_id, owner=sheet.owner, title=sheet.title)
        first = self.store.execute(select(messages.c.id).where(messages.c.chat_id == chat_id))
        sheet.said[first.scalar_one()] = "first"
        self.sheets[chat_id] = sheet

    def say(self) -> None:
        if chat_id := self.one():
            text, role = self.text(), self.chance.choice(["user", "assistant", "tool", "system"])
            message_id = say(self.store, text, chat_id, role)
            if role in {"user", "assistant"}:
                self.sheets[chat_id].said[message_id] = text

    def edit(self) -> None:
        chat_id = self.one()
        if chat_id is None:
            return
        sheet, text = self.sheets[chat_id], self.text()
        chat = lock(self.store, chat_id, NOW)
        of_users = self.store.execute(
            select(messages.c.id)
            .where(messages.c.chat_id == chat_id, messages.c.role == "user", ~messages.c.deleted)
            .order_by(messages.c.id)
        ).scalars()
        message_id = self.chance.choice(list(of_users))
        done = edit(chat, message_id, NewUserMessage(text), chat.row.history_version)
        finish(chat, None)
        at_rest = {"status": "waiting", "generation_attempt": 0}
        self.store.execute(update(chats).where(chats.c.id == chat_id).values(**at_rest))
        sheet.said = {key: said for key, said in sheet.said.items() if key < message_id}
        sheet.said[done.message_id] = text

    def rename(self) -> None:
        if chat_id := self.one():
            chat = lock(self.store, chat_id, NOW)
            chat.note_change()
            chat.row.title = self.sheets[chat_id].title = self.text()
            finish(chat, None)

    def fork(self) -> None:
        source = self.one()
        if source is None or not self.sheets[source].said:
            return
        self.made += 1
        old, new = self.sheets[source], Sheet(self.text(), self.sheets[source].owner)
        last = self.chance.choice(sorted(old.said))
        chat_id = f"c{self.made}"
        target = fresh_chat(self.store, chat_id, NewChat(new.owner, new.title), NOW)
        fork(lock(self.store, source, NOW), target, last)
        finish(target, None)
        copies = self.store.execute(
            select(messages.c.id)
            .where(messages.c.chat_id == chat_id, messages.c.role.in_(("user", "assistant")))
            .order_by(messages.c.id)
        ).scalars()
        said = [old.said[key] for key in sorted(old.said) if key <= last]
        new.said = dict(zip(copies, said, strict=True))
        self.sheets[chat_id] = new

    def put_away(self) -> None:
        if chat_id := self.one():
            for chat in self._family(chat_id, archive):
                finish(chat, None)
            self.sheets[chat_id].archived = True

    def bring_back(self) -> None:
        if chat_id := self.one(archived=True):
            for chat in self._family(chat_id, lambda chats: unarchive(chats, None)):
                finish(chat, None)
            self.sheets[chat_id].archived = False

    def delete(self) -> None:
        if chat_id := self.one(archived=True):
            for chat in self._family(chat_id, delete_family):
                finish(chat, None)
            del self.sheets[chat_id]

    def _family(self, chat_id: str, work: Callable[..., None]) -> list:  # type: ignore[type-arg]
        members = family(self.store, chat_id, NOW, self.sheets[chat_id].owner)
        work(members)
        return members

    def purge(self) -> None:
        purge_deleted(self.store, NOW + 1, self.chance.randint(1, 3))

    def take_back(self) -> None:
        """Do something, and roll it back."""
        chat_id = self.one()
        if chat_id is None:
            return
        with self.store.begin_nested() as savepoint:
            say(self.store, "rolled back", chat_id)
            index_some(self.store)
            savepoint.rollback()

    def expected(
        self, wanted: list[str], unwanted: list[str], owner: str, archived: bool | None
    ) -> set[Place]:
        result: set[Place] = set()
        for chat_id, sheet in self.sheets.items():
            if sheet.owner != owner or (archived is not None and sheet.archived is not archived):
                continue
            if fits(sheet.title, wanted, unwanted):
                result.add((chat_id, None))
            result |= {
                (chat_id, key) for key, text in sheet.said.items() if fits(text, wanted, unwanted)
            }
        return result

    def query(self) -> tuple[list[str], list[str]]:
        terms = [*WORDS, "first", "rolled", "dr*", "re*", "relay_drain", "timer pool", "空", "悬"]
        wanted = self.chance.choices(terms, k=self.chance.choice([1, 1, 2]))
        return wanted, self.chance.choices(terms, k=self.chance.choice([0, 0, 1]))


def typed(wanted: list[str], unwanted: list[str]) -> str:
    def quoted(term: str) -> str:
        return f'"{term}"' if " " in term else term

    return " ".join([*map(quoted, wanted), *(f"-{quoted(term)}" for term in unwanted)])


@examples(25, shrinks=False)
@given(st.integers(0, 2**32))
def test_a_search_finds_what_a_plain_model_finds(seed: int) -> None:
    chance = random.Random(seed)
    with searchable() as store:
        story = Story(store, chance)
        for _ in range(40):
            story.step()
            if chance.random() < 0.1:
                check(story, complete=False)
        index_all(store)
        for _ in range(10):
            check(story, complete=True)
        check_words(store)


def check(story: Story, *, complete: bool) -> None:
    wanted, unwanted = story.query()
    owner, archived = story.chance.choice([OWNER, OTHER]), story.chance.choice([None, True, False])
    places = found(story.store, typed(wanted, unwanted), owner, archived=archived)
    assert len(set(places)) == len(places)
    expected = story.expected(wanted, unwanted, owner, archived)
    if complete:
        assert set(places) == expected, typed(wanted, unwanted)
    else:
        assert set(places) <= expected, typed(wanted, unwanted)


def check_words(store: Connection) -> None:
    """Check that the index has exactly the words of the rows that exist."""
    driver = _driver(store)
    numbers = [number for (number,) in driver.execute("SELECT id FROM search_index_docsize")]
    parts = {row.id: row.parts for row in store.execute(select(messages.c.id, messages.c.parts))}
    titles = {
        -row.id: row.title
        for row in store.execute(
            select(search_titles.c.id, chats.c.title).join(
                chats, chats.c.id == search_titles.c.chat_id
            )
        )
    }
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.execute(fts5.CREATE)
        for number in sorted(numbers):
            row = (titles[number], "") if number < 0 else ("", indexed(text_of(parts[number])))
            fresh.execute(fts5._ADD, (number, indexed(row[0]), row[1]))
        assert words_in(driver) == words_in(fresh)


def words_in(driver: sqlite3.Connection) -> set[tuple[object, ...]]:
    table = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words"
    driver.execute(f"{table} USING fts5vocab(main, search_index, instance)")
    return set(driver.execute("SELECT term, doc, col, offset FROM temp.words"))


# --- single rules ---------------------------------------------------------------------------


def test_only_what_users_and_models_say_is_found(store: Connection) -> None:
    row = plant(store, State.W)
    parts: list[Part] = [
        Reasoning("thoughtword"),
        Text("saidword"),
        ToolCall(id="1", name="toolword", arguments='{"path": "argumentword"}'),
    ]
    said = add_message(store, row, "assistant", parts)
    add_message(store, row, "tool", [ToolResult(call_id="1", text="printedword")])
    add_message(store, row, "system", [Failure(ERROR), Text("systemword")])
    hidden = add_message(store, row, "user", [Text("modelword")])
    store.execute(update(messages).where(messages.c.id == hidden).values(visibility="model"))
    index_all(store)
    assert found(store, "saidword") == [("c", said)]
    for word in ("thought", "tool", "argument", "printed", "system", "model"):
        assert found(store, f"{word}word") == []


def test_titles_come_first_then_the_rank_then_the_newest(store: Connection) -> None:
    plant(store, State.W, chat_id="a", title="the relay")
    plant(store, State.W, chat_id="b", title="something else")
    long = say(store, "relay " + "and other words " * 60, "b")
    older, newer = say(store, "a relay", "b"), say(store, "a relay", "b")
    store.execute(update(messages).where(messages.c.id == newer).values(created_at=NOW + 1))
    index_all(store)
    assert found(store, "relay") == [("a", None), ("b", newer), ("b", older), ("b", long)]


def test_an_unreadable_message_is_left_out(store: Connection) -> None:
    plant(store, State.W)
    store.execute(update(messages).values(parts="no JSON"))
    index_all(store)
    assert found(store, "JSON") == []


def test_old_messages_are_indexed_newest_first_in_steps(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fts5, "CHARACTERS_AT_ONCE", 1)
    plant(store, State.W)
    ids = [say(store, f"relay {number}") for number in range(3)]
    store.exec_driver_sql(f"UPDATE search_progress SET low = {ids[-1] + 1}, high = {ids[-1]}")
    assert not how_far(store).complete
    assert how_far(store).share == 0
    assert found(store, "relay") == []
    seen = []
    while not index_some(store).complete:
        seen.append(sorted(place for _, place in found(store, "relay") if place is not None))
    assert seen == [ids[2:], ids[1:], ids, ids]


def test_new_messages_are_indexed_before_old_ones(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(store, State.W)
    old = say(store, "relay")
    store.exec_driver_sql(f"UPDATE search_progress SET low = {old + 1}, high = {old}")
    monkeypatch.setattr(fts5, "CHARACTERS_AT_ONCE", 1)
    new = [say(store, "relay"), say(store, "relay")]
    done = index_some(store)
    assert (done.current, found(store, "relay")) == (False, [("c", new[0])])
    done = index_some(store)
    assert (done.current, done.complete) == (True, False)
    index_all(store)
    assert {place for _, place in found(store, "relay")} == {old, *new}


@pytest.mark.parametrize("low", [0, 1])
def test_an_index_of_messages_that_are_all_gone_is_complete(store: Connection, low: int) -> None:
    store.exec_driver_sql(f"UPDATE search_progress SET low = {low}, high = {low}")
    assert 0 <= how_far(store).share <= 1
    assert index_all(store).share == 1
