"""Episodes are logs, subscribers are cursors: nothing lost, nothing twice, bounded."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.stream.position import Position
from palaver.wire.events import MessagePartEvent
from palaverd.stream import episode as subject
from palaverd.stream.episode import Cursor, Episode
from palaverd.stream.growing_text import PIECES, GrowingText

decoder = msgspec.json.Decoder(MessagePartEvent)


def apply(shown: dict[int, str], events: list[bytes]) -> None:
    """Apply events as a client does: each must begin exactly where the block ends."""
    for raw in events:
        event = decoder.decode(raw)
        text = shown.setdefault(event.block, "")
        assert event.offset == len(text)
        shown[event.block] = text + event.delta


def drain(log: Episode, cursor: Cursor, shown: dict[int, str], limit: int = 1 << 20) -> None:
    # Two empty reads in a row: the first may only have ended the merged text.
    empty = 0
    while empty < 2:
        events = log.read(cursor, limit)
        apply(shown, events)
        empty = 0 if events else empty + 1


def texts(log: Episode) -> dict[int, str]:
    return {n: block.text for n, block in enumerate(log.blocks) if block.length}


@given(st.data())
def test_readers_at_any_pace_end_with_the_whole_text(data: st.DataObject) -> None:
    random = Random(data.draw(st.integers(0, 10_000)))
    log = Episode("1.1")
    readers = [(Cursor(), dict[int, str](), random.choice([1, 100, 1 << 20])) for _ in range(3)]
    for _ in range(data.draw(st.integers(1, 60))):
        if not log.blocks or random.random() < 0.1:
            log.open_block("text")
        for _ in range(random.choice([1, 5, 400])):
            log.append(random.randrange(len(log.blocks)), random.choice(["a", "βγ", "𝄞x" * 9]))
        cursor, shown, limit = random.choice(readers)
        apply(shown, log.read(cursor, limit))
    for cursor, shown, limit in readers:
        drain(log, cursor, shown, limit)
        assert {n: text for n, text in shown.items() if text} == texts(log)


@pytest.mark.parametrize("grown", [3, 600, 5000])
@pytest.mark.parametrize("in_turn", [False, True])
def test_a_client_that_resumes_at_any_place_gets_exactly_what_it_lacks(
    grown: int, in_turn: bool
) -> None:
    log = Episode("1.1")
    for _ in range(2):
        log.open_block("text")
    blocks = [n % 2 if in_turn else n // grown for n in range(2 * grown)]
    places = [dict.fromkeys(range(2), "")]
    for number, block in enumerate(blocks):
        log.append(block, f"{number} ")
        if number % max(1, grown // 25) == 0:
            places.append({n: log.blocks[n].text for n in range(2)})
    for had in places:
        shown = dict(had)
        drain(log, Cursor(Position("1.1", tuple(map(len, had.values())))), shown)
        assert shown == texts(log)


def test_a_client_too_old_to_name_a_number_for_each_block_gets_the_rest_of_the_last_one() -> None:
    log = Episode("1.1")
    for text in ("first", "second", "third"):
        log.append(log.open_block("text"), text)
    shown = {0: "first", 1: "sec"}
    drain(log, Cursor(Position.parse("1.1", "1.3", None)), shown)
    assert shown == texts(log)


def test_memory_stays_bounded_by_the_text_however_many_deltas_made_it() -> None:
    log = Episode("1.1")
    log.open_block("text")
    for _ in range(20_000):
        log.append(0, "x")
    assert len(log._events) < 2 * subject.RECENT_ENTRIES
    assert len(log.read(Cursor(), 1 << 20)) == 1


def test_a_sealed_log_takes_no_more() -> None:
    log = Episode("1.1")
    log.open_block("text")
    log.append(0, "shown")
    log.seal()
    assert log.append(0, " never shown") is False
    assert texts(log) == {0: "shown"}


def test_an_answer_beyond_the_cap_is_cut_with_a_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "EPISODE_CAP", 10)
    log = Episode("1.1")
    log.open_block("text")
    for _ in range(5):
        log.append(0, "12345")
    assert texts(log)[0] == "1234512345" + subject.CUT_MARKER


def test_a_tool_call_is_shown_before_its_arguments_come() -> None:
    log = Episode("1.1")
    log.open_block("tool_call", name="execute", call_id="c1")
    for cursor in (Cursor(), Cursor(Position("1.1"))):
        [raw] = log.read(cursor, 1000)
        event = decoder.decode(raw)
        assert (event.name, event.call_id, event.delta) == ("execute", "c1", "")
        drain(log, cursor, {0: ""})


@pytest.mark.parametrize("asked_at", [(), (1, 700), range(0, 3 * PIECES, 100)])
def test_a_growing_text_is_the_sum_of_its_pieces_whenever_one_asks(asked_at: Sequence[int]) -> None:
    growing, pieces = GrowingText(), [f"{number} " for number in range(3 * PIECES + 5)]
    for number, piece in enumerate(pieces):
        if number in asked_at:
            assert growing.text == "".join(pieces[:number])
        growing.append(piece)
    assert growing.text == growing.text == "".join(pieces)
    assert growing.length == len(growing.text)


def test_a_long_text_holds_few_pieces() -> None:
    """Each small string has its own overhead in Python."""
    growing = GrowingText()
    for number in range(20 * PIECES):
        growing.append(str(number))
    kept = [one for one in gc.get_referents(growing) if isinstance(one, list)]
    assert sum(map(len, kept)) < PIECES + 20
