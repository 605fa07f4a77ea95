"""Clients and workers change one chat in every order of commits: nothing lost, nothing twice."""

from __future__ import annotations

import os
from math import factorial, prod

import pytest
from sqlalchemy import Connection

from support.asking import (
    editor,
    holder,
    interrupting_sender,
    promoter,
    repeater,
    send,
    sender,
    steerer,
    stopper,
    taker,
)
from support.interleaving import Actor, World, orders, tell, worker

WORKER = Actor(worker("first"), 3)  # it reads, begins an attempt, commits an answer
# It also begins with a call: reads, begins, commits it, reads, commits the result, which is when
# messages that steer enter history.
STEPS = Actor(worker("first"), 5)
# A worker whose chat is taken over and that resumes late, and the worker that took it over.
OLD, NEW = Actor(worker("old"), 3), Actor(worker("new"), 3)

# By default each third order is run; all of them with PALAVER_ORDERS=1.
EVERY = int(os.environ.get("PALAVER_ORDERS", "3"))

CASES: dict[str, list[Actor]] = {
    "send and stop": [sender("a"), stopper(), WORKER],
    "send and stop with a hold": [sender("a"), stopper(hold=True), WORKER],
    "a stop that arrives three times": [stopper(times=3), sender("a"), WORKER],
    "two people who stop one turn": [stopper(), stopper(hold=True), WORKER],
    "a lost answer and a message that interrupts": [
        repeater("a"),
        interrupting_sender("b"),
        WORKER,
    ],
    "promote and stop": [promoter(), stopper(), WORKER],
    "edit and promote": [editor("new"), promoter(), WORKER],
    "edit and stop": [editor("new"), stopper(), WORKER],
    "take back and release": [taker(), holder(), WORKER],
    "a takeover while somebody sends": [OLD, NEW, sender("a")],
}


STEERED: dict[str, list[Actor]] = {
    "steer and stop": [steerer("a"), stopper(), STEPS],
    "steer and stop with a hold": [steerer("a"), stopper(hold=True), STEPS],
    "steer and edit": [steerer("a"), editor("new"), STEPS],
    "steer beside a hold": [steerer("a"), holder(), STEPS],
    "steer and promote": [steerer("a"), promoter(), STEPS],
    "steer and take back": [steerer("a"), taker(), STEPS],
    "two who steer": [steerer("a"), steerer("b"), STEPS],
}


def prepare(world: World) -> None:
    """Queue a message at the start."""
    send(world, "q")
    world.acknowledged.append("q")


@pytest.mark.parametrize("actors", CASES.values(), ids=CASES)
def test_every_order_of_commits_ends_in_an_allowed_state(
    store: Connection, actors: list[Actor]
) -> None:
    steps = [actor.steps for actor in actors]
    there_are = factorial(sum(steps)) // prod(map(factorial, steps))
    assert tell(store, prepare, actors, EVERY) == -(-there_are // EVERY)


@pytest.mark.parametrize("actors", STEERED.values(), ids=STEERED)
def test_what_steers_is_there_once_in_every_order_of_commits(
    store: Connection, actors: list[Actor]
) -> None:
    def prepare_calls(world: World) -> None:
        prepare(world)
        world.calls = True

    # More steps than above, and four times as many orders.
    assert tell(store, prepare_calls, actors, 1 if EVERY == 1 else 4 * EVERY) > 0


def test_each_order_is_told_once_and_keeps_every_actors_own() -> None:
    found = list(orders([2, 1]))
    assert found == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
