"""Many connections over one line: nothing is lost or mixed up, and none blocks another."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.remote.mux import (
    CONNECTIONS,
    WINDOW,
    Accepted,
    Asked,
    Came,
    Cut,
    Declined,
    Ended,
    Event,
    Mux,
    MuxError,
    Room,
)


class Pair:
    """Both ends, and the line between them, which splits its data as `cut` says."""

    def __init__(self, cut: random.Random | None = None) -> None:
        self.near, self.far = Mux(opens=True), Mux(opens=False)
        self.cut = cut
        self.at_near: list[Event] = []
        self.at_far: list[Event] = []
        self.talk()

    def talk(self) -> None:
        """Carry until both have sent everything."""
        while True:
            said, answered = self.near.to_send(), self.far.to_send()
            if not said and not answered:
                return
            self.at_far += self._carried(said, self.far)
            self.at_near += self._carried(answered, self.near)

    def _carried(self, data: bytes, to: Mux) -> list[Event]:
        events: list[Event] = []
        while data:
            size = len(data) if self.cut is None else self.cut.randint(1, 40)
            events += to.receive(data[:size])
            data = data[size:]
        return [event for event in events if not isinstance(event, Room)]

    def opened(self) -> int:
        """Return a connection that the far end has accepted."""
        id_ = self.near.open()
        self.talk()
        self.far.accept(id_)
        self.talk()
        return id_


def came(events: list[Event]) -> dict[int, bytes]:
    """Return what each connection received."""
    found: dict[int, bytes] = defaultdict(bytes)
    for event in events:
        if isinstance(event, Came):
            found[event.id] += event.data
    return found


def test_a_connection_from_its_beginning_to_its_end() -> None:
    pair = Pair()
    id_ = pair.opened()
    assert (pair.at_far, pair.at_near) == ([Asked(id_)], [Accepted(id_)])
    pair.near.send(id_, b"hello")
    pair.near.end(id_)
    pair.talk()
    assert pair.at_far[1:] == [Came(id_, b"hello"), Ended(id_)]
    # One direction is closed: the other one still sends.
    pair.far.send(id_, b"world")
    pair.far.end(id_)
    pair.talk()
    assert pair.at_near[1:] == [Came(id_, b"world"), Ended(id_)]
    assert (len(pair.near), len(pair.far)) == (0, 0)


def test_a_refusal_says_why_and_a_start_is_asked_for() -> None:
    pair = Pair()
    id_ = pair.near.open(start=True)
    pair.talk()
    pair.far.decline(id_, "no daemon – „nirgends“ is running\nthere")
    pair.talk()
    assert pair.at_far == [Asked(id_, start=True)]
    assert pair.at_near == [Declined(id_, "no daemon – „nirgends“ is running\nthere")]
    assert (len(pair.near), len(pair.far)) == (0, 0)


Step = tuple[str, int, bytes]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "answer", "end", "end there"]),
        st.integers(0, 3),
        st.binary(max_size=300),
    ),
    max_size=40,
)


@given(STEPS, st.integers())
def test_however_the_line_splits_it_each_gets_its_own_in_order(
    steps: list[Step], seed: int
) -> None:
    chance = random.Random(seed)
    pair = Pair(chance)
    ids = [pair.opened() for _ in range(4)]
    sent: dict[int, bytes] = defaultdict(bytes)
    answered: dict[int, bytes] = defaultdict(bytes)
    ended: set[tuple[str, int]] = set()
    for what, which, data in steps:
        id_ = ids[which]
        match what:
            case "send" if ("end", id_) not in ended:
                pair.near.send(id_, data)
                sent[id_] += data
            case "answer" if ("end there", id_) not in ended:
                pair.far.send(id_, data)
                answered[id_] += data
            case "end":
                pair.near.end(id_)
                ended.add((what, id_))
            case "end there":
                pair.far.end(id_)
                ended.add((what, id_))
        if chance.random() < 0.5:
            pair.talk()
    pair.talk()
    assert came(pair.at_far) == {id_: data for id_, data in sent.items() if data}
    assert came(pair.at_near) == {id_: data for id_, data in answered.items() if data}
    for event, said in ((pair.at_far, "end"), (pair.at_near, "end there")):
        assert {one.id for one in event if isinstance(one, Ended)} == {
            id_ for what, id_ in ended if what == said
        }
    both = {id_ for id_ in ids if {("end", id_), ("end there", id_)} <= ended}
    assert len(pair.near) == len(pair.far) == len(ids) - len(both)


def test_a_reader_that_takes_nothing_holds_up_itself_alone() -> None:
    pair = Pair()
    slow, quick = pair.opened(), pair.opened()
    for _ in range(3):
        pair.far.send(slow, b"s" * pair.far.room(slow))
        pair.talk()
    assert pair.far.room(slow) == 0
    assert len(came(pair.at_near)[slow]) == WINDOW  # and no more is in flight
    for _ in range(100):
        assert pair.far.room(quick) > 0
        pair.far.send(quick, b"q" * min(30_000, pair.far.room(quick)))
        pair.talk()
        pair.near.took(quick, 30_000)
        pair.talk()
    assert len(came(pair.at_near)[quick]) == 100 * 30_000
    pair.near.took(slow, WINDOW)
    pair.talk()
    assert pair.far.room(slow) == WINDOW


def test_readers_that_stand_still_do_not_use_up_what_all_have_together() -> None:
    """HTTP/2 also counts what is in flight in all connections, including unread data."""
    pair = Pair()
    for _ in range(40):  # 10 MiB
        id_ = pair.opened()
        pair.far.send(id_, b"x" * pair.far.room(id_))
        pair.talk()
        pair.near.cut(id_)
        pair.talk()
    id_ = pair.opened()
    assert pair.far.room(id_) == WINDOW


def test_a_cut_reaches_the_other_side_and_what_is_on_its_way_does_no_harm() -> None:
    pair = Pair()
    id_, other = pair.opened(), pair.opened()
    pair.far.send(id_, b"late")
    pair.near.cut(id_)
    for end in (pair.near, pair.far):
        end.send(id_, b"later")
    pair.talk()
    assert Cut(id_) in pair.at_far
    assert not came(pair.at_near)
    # An end that has not noticed yet still sends for it.
    for end in (pair.near, pair.far):
        end.send(id_, b"later")
        end.end(id_)
        end.cut(id_)
        end.accept(id_)
        end.decline(id_, "gone")
        assert end.room(id_) == 0
    pair.near.took(id_, 4)
    pair.far.send(other, b"fine")
    pair.talk()
    assert came(pair.at_near) == {other: b"fine"}


def test_there_are_only_so_many_connections() -> None:
    pair = Pair()
    for _ in range(CONNECTIONS):
        last = pair.near.open()
    pair.talk()
    with pytest.raises(MuxError):
        pair.near.open()
    pair.far.decline(last, "")
    pair.talk()
    pair.near.open()
    # An end that opens more than allowed is refused.
    bold = Mux(opens=True)
    listener = Mux(opens=False)
    for _ in range(CONNECTIONS + 1):
        bold.open()
    with pytest.raises(MuxError):
        listener.receive(bold.to_send())


@given(st.binary(min_size=24, max_size=400))
def test_garbage_is_an_error_of_ours_or_waits_for_more(data: bytes) -> None:
    for end in (Mux(opens=True), Mux(opens=False)):
        try:
            end.receive(data)
        except MuxError:
            continue
        assert not len(end)


def test_what_is_no_client_is_told_at_once() -> None:
    for said in (b"bash: palaverd: command not found\n", b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n"):
        with pytest.raises(MuxError):
            Mux(opens=False).receive(said)


def test_a_frame_that_is_too_long_is_refused() -> None:
    pair = Pair()
    id_ = pair.opened()
    frame = (1 << 15).to_bytes(3) + b"\x00\x00" + id_.to_bytes(4) + bytes(1 << 15)
    with pytest.raises(MuxError):
        pair.near.receive(frame)
    # The other end is informed.
    with pytest.raises(MuxError):
        pair.far.receive(pair.near.to_send())
