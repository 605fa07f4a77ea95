"""What is done about each open call of a step, and in which order."""

from __future__ import annotations

from palaver.wire.messages import ToolCall, ToolResult
from palaverd.generation.call_plan import Act, Ask, Ended, Look, Planned, groups, plan
from palaverd.store.calls import RunState, StoredCall
from palaverd.tools.tool import Tool
from palaverd.tools.toolbox import Unavailable
from tools.acting import Stage


def find(name: str) -> Tool | Unavailable:
    known = {tool.name: tool for tool in Stage().tools}
    return known.get(name) or Unavailable(f"There is no {name}.")


def planned(*names: str, stored: dict[str, StoredCall] | None = None) -> list[Planned]:
    calls = [(7, ToolCall(f"c{n}", name, "{}")) for n, name in enumerate(names)]
    return plan(calls, stored or {}, {}, find)


def test_calls_that_look_run_together_and_calls_with_effects_alone_in_their_order() -> None:
    found = groups(planned("look", "look", "act", "look", "act", "act", "look"))
    names = [
        "act" if isinstance(group, Act) else [one.call.call_id for one in group] for group in found
    ]
    assert names == [["c0", "c1"], "act", ["c3"], "act", "act", ["c6"]]


def test_what_cannot_be_called_has_its_result_at_once() -> None:
    [unknown, look] = planned("nothing", "look")
    assert unknown == Ended(ToolResult("c0", "There is no nothing.", is_error=True))
    assert isinstance(look, Look)
    [bad] = plan([(7, ToolCall("c0", "look", '{"nme": 1}'))], {}, {}, find)
    assert isinstance(bad, Ended)
    assert bad.result.text == "look has no argument nme; it has name."


def test_an_exclusive_call_is_refused_beside_others_which_run() -> None:
    [ask, look] = planned("ask", "look")
    assert isinstance(ask, Ended)
    assert ask.result.is_error
    assert isinstance(look, Look)
    [alone] = planned("ask")
    assert isinstance(alone, Ask)


def test_a_stored_result_is_taken_and_a_call_that_began_is_looked_for() -> None:
    result = ToolResult("c0", "done")
    stored = {
        "c0": StoredCall("c0", RunState.FINISHED, result=result),
        "c1": StoredCall("c1", RunState.STARTED, trace="t"),
        "c2": StoredCall("c2", RunState.RESERVED),
    }
    [ended, begun, reserved] = planned("act", "act", "act", stored=stored)
    assert ended == Ended(result)
    assert isinstance(begun, Act)
    assert begun.before == stored["c1"]
    assert isinstance(reserved, Act)
    assert reserved.before is None
