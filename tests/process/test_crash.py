"""kill -9 at every named commit point and at random instants: nothing acknowledged is lost.

A client sends a daemon a story of requests, each with its idempotency key. The daemon is killed
somewhere; the client repeats what was not acknowledged to the next one. In the end every
message is there once, every chat is idle, and the file is consistent.

PALAVER_CRASH_ROUNDS sets the number of random instants (the named points are always tested), and
PALAVER_SEED the seed.
"""

from __future__ import annotations

import random
import time

import pytest

from palaverd.chatstate.table import Transition
from palaverd.crashpoints import VARIABLE
from process.crash import Round, Story, all_rounds, count_from, named_points, round_of
from process.housekeeping import HOUSEKEEPING
from process.talk import TALK

pytestmark = pytest.mark.process

ROUNDS = count_from("PALAVER_CRASH_ROUNDS", 6)
DEATHS = [
    pytest.param(story, transition, id=f"{name}-{transition.value}")
    for name, story in (("talk", TALK), ("housekeeping", HOUSEKEEPING))
    for transition in story.points
]

# Transitions that no daemon uses yet: it has no tools that ask, no sub-agents, no compaction.
NOT_YET = {
    Transition.REQUIRE_ACTION,
    Transition.SET_WAITING_FOR_CHILDREN,
    Transition.ABANDON_COMPACTION,
}


def test_every_transition_is_a_point_at_which_a_daemon_is_killed() -> None:
    assert {*TALK.points, *HOUSEKEEPING.points} == set(Transition) - NOT_YET


@pytest.mark.parametrize(("story", "transition"), DEATHS)
async def test_killed_before_or_after_any_commit_nothing_is_lost_or_doubled(
    story: Story, transition: Transition
) -> None:
    survived = await all_rounds(named_points(story, transition))
    assert survived == [], "these points were never reached: the story does not test them"


async def test_killed_at_random_instants_nothing_is_lost_or_doubled() -> None:
    began = time.monotonic()
    assert await all_rounds([Round(TALK), Round(HOUSEKEEPING)]) == ["nowhere", "nowhere"]
    # Until its end a story runs once, on the first of two daemons.
    length_s = (time.monotonic() - began) / 2
    chance = random.Random(count_from("PALAVER_SEED", 20))
    rounds = [
        Round(chance.choice((TALK, HOUSEKEEPING)), after=chance.uniform(0.0, length_s))
        for _ in range(ROUNDS)
    ]
    survived = await all_rounds(rounds)
    # Late instants may be after the end of the story; some are not.
    assert len(survived) < ROUNDS


# The safeguard that is off, where the daemon is killed, and how the story fails.
ABLATIONS = [
    pytest.param("idempotency", Transition.SEND, AssertionError, id="a message is there twice"),
    pytest.param("dead_leases", Transition.RECORD_ATTEMPT, TimeoutError, id="a chat is stuck"),
]


@pytest.mark.parametrize(("safeguard", "transition", "failure"), ABLATIONS)
async def test_the_story_fails_without_this_safeguard(
    safeguard: str, transition: Transition, failure: type[Exception]
) -> None:
    point = {VARIABLE: f"{transition.value}:after:1"}
    with pytest.raises(failure):
        await round_of(TALK, point, without=[safeguard], story_s=10.0)
