"""A stop that arrives late, twice or out of order never stops a later run.

Requests and hints of a turn that has ended are repeated to a real worker in the middle of the next
turn. tests/store/test_interleavings.py tests every order of requests and commits,
test_decisions.py a runner's decisions for every order of hints.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import permutations

from palaver.wire.chats import CreateChat, Interrupt, Interrupted, SendMessage
from palaverd.generation.cancellation import Cause
from palaverd.store.hints import Hint
from palaverd.worker.runner import Runner
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.scene import Scene

STALLS = "[[silence at=text after=3]] [[length=9]]"


def runner_of(s: Scene) -> Runner:
    [runner] = s.daemon.worker._runners.values()
    return runner


async def shows_words(s: Scene) -> None:
    def shows() -> bool:
        episode = s.daemon.episodes.current(s.chat_id)
        return episode is not None and not episode.sealed and episode.end == 3

    await until(shows)


@asynccontextmanager
async def second_turn() -> AsyncIterator[tuple[Scene, list[Hint], Interrupt]]:
    """A chat whose first turn was stopped, and whose second one is being answered.

    Yields every hint of the first turn, too, and the request that stopped it.
    """
    hints: list[Hint] = []
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, simulator):
        publish = daemon.hub.publish

        def recorded(hint: Hint) -> None:
            hints.append(hint)
            publish(hint)

        daemon.door._publisher.publish = recorded  # type: ignore[method-assign]
        sent = await client.create_chat(CreateChat(content=f"{STALLS} first"))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await shows_words(s)
        await s.send(f"{STALLS} second")
        stop = Interrupt(turn_version=(await s.row()).turn_version)
        await client.interrupt(s.chat_id, stop)
        await until(lambda: len(simulator.requests) == 2)
        await shows_words(s)
        turn = (await s.row()).turn_version
        assert turn > stop.turn_version
        old = [hint for hint in hints if hint.history_version < turn]
        assert [hint.status for hint in old].count("interrupting") == 1
        yield s, old, stop


async def goes_on(s: Scene, work: object) -> None:
    """Check that the second turn is unchanged: same task, same text, and a stop of it works."""
    assert runner_of(s)._work is work
    episode = s.daemon.episodes.current(s.chat_id)
    assert episode is not None
    assert not episode.sealed
    row = await s.row()
    assert (row.status, row.retry) == ("running", None)
    await s.client.interrupt(s.chat_id, Interrupt(turn_version=row.turn_version))
    await s.reaches("waiting")
    assert len(s.simulator.requests) == 2


async def test_hints_of_an_earlier_turn_are_heard_in_every_order_and_change_nothing() -> None:
    async with second_turn() as (s, old, _):
        runner = runner_of(s)
        work = runner._work
        assert work is not None
        # The harmful ones: the stop, its end, and the release of the runner.
        harmful = [hint for hint in old if hint.status == "interrupting" or hint.runner_id is None]
        told = [old[0], *harmful, old[-1]]
        for order in permutations(told):
            for hint in order:
                for _twice in range(2):
                    # Bypass the subscription, which would keep the newest only.
                    assert await runner._handle(hint)
            assert work.job.cancellation.cause is None
        for hint in old * 2:
            s.daemon.hub.publish(hint)
        await s.reaches("running")
        await goes_on(s, work)


async def test_a_stop_request_that_arrives_again_in_the_next_turn_says_so_and_changes_nothing() -> (
    None
):
    async with second_turn() as (s, _, stop):
        work = runner_of(s)._work
        before = await s.row()
        for again in (stop, stop, Interrupt(turn_version=stop.turn_version, hold_queue=True)):
            answer: Interrupted = await s.client.interrupt(s.chat_id, again)
            assert (answer.changed, answer.reason) == (
                False,
                "The turn that this request wanted to stop is over.",
            )
        late = SendMessage(content="third", when_busy="interrupt", turn_version=stop.turn_version)
        sent = await s.client.send(s.chat_id, late)
        assert sent.queued is not None
        assert await s.row() != before  # it is queued, nothing else
        await s.client.delete_queued(s.chat_id, sent.queued.id)
        await goes_on(s, work)


async def test_a_stop_that_is_repeated_while_it_is_carried_out_stops_once() -> None:
    async with second_turn() as (s, _, _stop):
        runner = runner_of(s)
        work = runner._work
        assert work is not None
        row = await s.row()
        stop = Interrupt(turn_version=row.turn_version)
        answers = [await s.client.interrupt(s.chat_id, stop) for _ in range(3)]
        assert [answer.changed for answer in answers].count(True) == 1
        await s.reaches("waiting")
        assert work.job.cancellation.cause is Cause.INTERRUPTED
        page = await s.client.messages(s.chat_id)
        assert [m.finish for m in page.messages if m.role == "assistant"] == ["interrupted"] * 2
