"""Sheet: one chat with every kind of block, to check their look, folded and unfolded."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from palaver.client import Connected
from palaver.wire.events import ActionRequired, CaughtUp, MessageEvent, UsageEvent
from palaver.wire.messages import (
    Boundary,
    Message,
    Reasoning,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from tui.pictures import chart
from tui.replay import T0, ReplayClient, answer, chat, part, status, user, versions

YESTERDAY = T0 - timedelta(days=1)
TITLE = "Every kind of block"
DIFF = """\
Edited tests/test_relay.py.

--- a/tests/test_relay.py
+++ b/tests/test_relay.py
@@ -10,4 +10,5 @@ async def test_relay():
     trap = Trap()
     relay.stop()
-    trap.wait()
+    for _ in range(2):
+        trap.wait()
     assert relay.closed
"""
RESULTS = "\n".join(f"tests/test_{number:02}.py ......... [{number:3}%]" for number in range(1, 41))


def call(number: int, tool: str, **arguments: Any) -> ToolCall:
    return ToolCall(f"c{number}", tool, json.dumps(arguments))


def results(message_id: int, *found: ToolResult, **more: Any) -> Message:
    more.setdefault("created_at", T0)
    return Message(message_id, "tool", list(found), revision=message_id, **more)


def result(number: int, text: str, took: int | None = None, *, failed: bool = False) -> ToolResult:
    return ToolResult(f"c{number}", text, is_error=failed, duration_ms=took)


EDIT = call(
    3,
    "edit_files",
    edits=[{"path": "tests/test_relay.py", "old_text": "trap.wait()", "new_text": "..."}],
)
QUESTION = call(
    8,
    "ask_user",
    question="Shall the drain timer be released on stop as well?",
    options=["Yes, on both", "Only on drain"],
)
THOUGHT = "Two code paths create the timer.\n\nWhichever runs second leaks its `Event`."


def finished_turn() -> list[Message]:
    """Return a turn of several successful steps, and its answer."""
    return [
        user(1, "Why does the relay test hang now and then?", created_at=YESTERDAY),
        answer(
            2,
            Reasoning(THOUGHT, 3200),
            "Let me look at the test first.",
            call(1, "read_file", path="tests/test_relay.py"),
            created_at=YESTERDAY,
            finish="tool_calls",
            runtime_ms=4100,
        ),
        results(3, result(1, "1\tasync def test_relay():\n2\t    ...", 12), created_at=YESTERDAY),
        answer(
            4,
            call(2, "execute", command="pytest -q -k relay"),
            created_at=YESTERDAY,
            finish="tool_calls",
            runtime_ms=2000,
        ),
        results(5, result(2, RESULTS, 3200), created_at=YESTERDAY),
        answer(
            6,
            EDIT,
            created_at=YESTERDAY,
            finish="tool_calls",
            runtime_ms=5000,
        ),
        results(7, result(3, DIFF, 40), created_at=YESTERDAY),
        answer(
            8,
            "It waits for one timer, but **two** code paths create it. See the [manual][1].\n\n"
            "[1]: https://docs.example/timers\n",
            Source("https://docs.example/timers", "Timers, and who sets them"),
            created_at=YESTERDAY,
            finish="stop",
        ),
    ]


def troubled_turn() -> list[Message]:
    """Return a turn with an error and a denied call, which the user interrupted."""
    return [
        user(20, "Run everything, please."),
        answer(21, call(4, "execute", command="make test"), finish="tool_calls"),
        results(22, result(4, "make: *** [Makefile:12: test] Error 2\nmore\n", 900, failed=True)),
        answer(
            23,
            call(5, "execute", command="rm -rf build"),
            call(6, "notes__search", query="relay", limit=5, tags=["net", "ci"]),
            finish="tool_calls",
        ),
        results(
            24,
            result(5, "The user did not allow this call.", failed=True),
            result(6, '{"found": 2}', 310),
        ),
        answer(25, "Then I would", finish="interrupted"),
        Message(26, "system", [Boundary("compacted")], revision=26, created_at=T0),
    ]


PICTURED = [
    answer(27, call(7, "plot__bars", series="hangs per run", last=6), finish="tool_calls"),
    results(28, ToolResult("c7", "Six runs, worst: the fifth.", False, 120, chart())),
]
ASKING = [
    user(30, "Go on."),
    answer(31, Reasoning("", 800), QUESTION, finish="tool_calls"),
]


def sheet(daemon: ReplayClient) -> None:
    """Open the chat with all blocks; its last call asks the user a question."""
    daemon.open(chat("a", TITLE, "requires_action"))
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    messages = [*finished_turn(), *troubled_turn(), *PICTURED, *ASKING]
    stream.tell(
        *[MessageEvent(message) for message in messages],
        status("requires_action", TITLE, versions=versions(9, 9, 9)),
        ActionRequired(["c8"]),
        UsageEvent(None, 46_000, 200_000, 410_000),
        CaughtUp(9),
    )


LIVE_OUTPUT = "collecting ... collected 214 items\n\ntests/test_relay.py ........"


def running_tools(daemon: ReplayClient) -> None:
    """Open a chat in the middle of a turn: one call runs, one waits."""
    daemon.open(chat("a", TITLE, "running"))
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    stream.tell(
        *[MessageEvent(message) for message in finished_turn()],
        MessageEvent(user(20, "Run everything, please.")),
        MessageEvent(
            answer(
                21,
                Text("The whole suite, then the linter."),
                call(4, "execute", command="make test"),
                call(5, "execute", command="make lint"),
                finish="tool_calls",
            )
        ),
        status("running", TITLE, versions=versions(9, 9, 9)),
        part(LIVE_OUTPUT, 0, 0, "9.1", "tool_output", name="execute", call_id="c4"),
        CaughtUp(9),
    )


HALF = '{"path": "src/relay.py", "content": "class Relay:\\n    def __init__(self) -> None:\\n  '


def writing_a_call(daemon: ReplayClient) -> None:
    """Open a chat with a call whose arguments are still arriving."""
    daemon.open(chat("a", TITLE, "running"))
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    stream.tell(
        MessageEvent(user(20, "Write it, please.")),
        status("running", TITLE, versions=versions(9, 9, 9)),
        part("I have a plan.", 0, 0, "9.1", "reasoning"),
        part("Here it is.", 0, 1, "9.1"),
        part(HALF, 0, 2, "9.1", "tool_call", name="write_file", call_id="c4"),
        CaughtUp(9),
    )
