from __future__ import annotations

import pytest

from palaver.directives import FAULT_NAMES, SHAPE_NAMES
from palaverd.simulator.faults import FAULTS
from palaverd.simulator.misbehaviour import MANNERS_STREAMED, MANNERS_WHOLE
from palaverd.simulator.scenarios import SCENARIOS
from palaverd.simulator.script import SHAPES, DirectiveError, manual, parse


def test_a_message_without_directives_is_left_alone() -> None:
    script = parse("what is [[this]] and [that] and a[[0]]?")
    assert script.prompt == "what is [[this]] and [that] and a[[0]]?"
    assert script.injected == ()


def test_a_title_leaves_out_exactly_what_is_obeyed_here() -> None:
    assert SHAPES.keys() == SHAPE_NAMES
    assert FAULTS.keys() == FAULT_NAMES


def test_directives_combine_and_leave_the_prompt() -> None:
    script = parse("[[429 retry-after=3 times=2]] hello [[rate=200]] [[length=50]]")
    assert script.prompt.split() == ["hello"]
    assert (script.rate, script.length) == (200, 50)
    (injected,) = script.injected
    assert injected.fault is FAULTS["429"]
    assert injected.times == 2
    assert injected.headers == {"retry-after": "3"}


def test_faults_stand_in_the_order_in_which_they_are_written() -> None:
    script = parse("[[loading times=3]] hello [[500 times=2]] [[529]]")
    assert [(one.fault, one.times) for one in script.injected] == [
        (FAULTS["loading"], 3),
        (FAULTS["500"], 2),
        (FAULTS["529"], 1),
    ]


def test_passing_trouble_strikes_once_and_lasting_trouble_always() -> None:
    (passing,), (lasting,) = parse("[[529]]").injected, parse("[[401]]").injected
    assert (passing.times, lasting.times) == (1, None)


@pytest.mark.parametrize(
    "message", ["[[rate=fast]]", "[[length=0]]", "[[529 color=red]]", "[[529 times=-1]]"]
)
def test_a_directive_that_makes_no_sense_is_refused(message: str) -> None:
    with pytest.raises(DirectiveError):
        parse(message)


def test_every_fault_can_be_acted_out_and_is_in_the_manual() -> None:
    assert {fault.manner for fault in FAULTS.values()} == {*MANNERS_WHOLE, *MANNERS_STREAMED}
    text = manual()
    assert all(f"[[{name}]]" in text for name in FAULTS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_made_of_directives(name: str) -> None:
    for directive in SCENARIOS[name].directives:
        assert not directive or parse(directive).injected


def test_what_a_server_says_passes_or_lasts() -> None:
    (loading,) = parse("[[dialect=llama.cpp says=loading]] hi").injected
    (full,) = parse("[[dialect=llama.cpp says=context]] hi").injected
    (often,) = parse("[[dialect=llama.cpp says=loading times=3]] hi").injected
    assert (loading.times, full.times, often.times) == (1, None, 3)
    assert (loading.fault.status, loading.fault.message) == (503, "Loading model")
    with pytest.raises(DirectiveError, match="says nothing of 'quota'"):
        parse("[[dialect=llama.cpp says=quota]]")
    with pytest.raises(DirectiveError, match="there is no 'nobody'"):
        parse("[[dialect=nobody]]")
