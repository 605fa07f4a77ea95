"""Scenes: the states of the client in snapshots and in pictures for the README."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from palaver.client import Connected, ConnectionLost
from palaver.wire.chats import ChatPage, Model, Models, RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    ActionRequired,
    CaughtUp,
    ChatUpdated,
    ErrorEvent,
    MessageEvent,
    QueueUpdate,
    RetryEvent,
    UsageEvent,
)
from palaver.wire.messages import Reasoning, ToolCall
from palaver.wire.questions import OpenCall
from palaver.wire.search import SearchPage
from palaver.wire.setup import Setup
from tui.replay import (
    BAD_KEY,
    OVERLOADED,
    T0,
    ReplayClient,
    answer,
    chat,
    failure,
    hit,
    part,
    queued,
    status,
    user,
    versions,
)

Scene = Callable[[ReplayClient], None]
TITLE = "Fix the flaky relay test"
CHATS = [
    chat("a", TITLE, "running", queue_length=2),
    chat("b", "Nightly triage", "requires_action", minutes_ago=2),
    chat("c", "Port the parser", "error", minutes_ago=3),
    chat("d", "explore: old grammar", "running", minutes_ago=4, parent_id="c"),
    chat("e", "Release notes", unread=True, minutes_ago=9),
    chat("f", "Why is CI slow", "paused", queue_length=1, minutes_ago=19),
    chat("g", "Names for the new service", minutes_ago=90),
]
PUT_AWAY = [chat("h", "An old idea", archived=True, minutes_ago=3000)]
QUESTION = "Why does the relay test hang now and then? It only happens in CI."
ANSWER = """\
It waits for one timer, but **two** code paths create it, so whichever runs second leaks its
`Event` and nobody sets it.

```python
async def drain(self) -> None:
    \"\"\"Wait until nothing is left.\"\"\"
    while self._pending:
        await self._timer.wait()  # made again by stop()
```

| path      | timers | released |
|:----------|-------:|:--------:|
| `drain()` |      1 |    ✓     |
| `stop()`  |      2 |    ✗     |

What I would do:

1. create the timer once, in `__init__`
2. let both paths share it, and
   - release it in `drain()`
   - only *reset* it in `stop()`
"""
GROWING = """\
Both timers now come from one place:

```diff
-    trap.wait()
+    for _ in range(2):
+        trap.wait()
```

Now the drain timer is released on both"""
LATER = T0 + timedelta(minutes=1)


def empty(daemon: ReplayClient) -> None:
    daemon.open()


def first_run(daemon: ReplayClient) -> None:
    missing = ChatError("missing_key", "No key for Anthropic: ANTHROPIC_API_KEY is not set.")
    setup = Setup("config.toml", variables=["ANTHROPIC_API_KEY"])
    daemon.available_models = Models(
        [Model("sonnet", "anthropic", "x", unavailable=missing)], setup=setup
    )
    daemon.open()


def finished(daemon: ReplayClient) -> None:
    daemon.open(*CHATS)
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    stream.tell(
        MessageEvent(user(1, QUESTION)),
        MessageEvent(answer(2, Reasoning("", 3200), ANSWER, created_at=T0)),
        status("waiting", TITLE),
        UsageEvent(None, 46_000, 200_000, 410_000),
        CaughtUp(3),
    )


def marked(daemon: ReplayClient) -> None:
    """Show pinned, labelled and unread chats; what arrived in the one that is shown is not new."""
    first = chat("a", TITLE, labels={"team": "infra", "urgent": ""}, pin_order=1, unread=True)
    pinned = chat("p", "Where everything is", pin_order=0, minutes_ago=50_000)
    news = chat("n", "A pinned one with news", pin_order=2, unread=True, minutes_ago=70)
    failed = chat("x", "Failed over night", "error", unread=True, minutes_ago=300)
    daemon.open(first, pinned, news, failed, *CHATS[4:])
    daemon.stream_of("a").tell(
        MessageEvent(user(1, QUESTION)),
        MessageEvent(answer(2, Reasoning("", 3200), ANSWER, created_at=T0)),
        status("waiting", TITLE),
        UsageEvent(None, 46_000, 200_000, 410_000),
        CaughtUp(3),
    )


def searched(daemon: ReplayClient) -> None:
    """Have an answer for `rel`: one title fits, and messages of three other chats do."""
    finished(daemon)
    daemon.found["rel*"] = SearchPage(
        [
            hit(CHATS[1], "It hangs, and I do not know why: the ", "relay", " never ends."),
            hit(CHATS[2], "Nothing that is ", "related", " to the ", "relay", " is left of it."),
            hit(CHATS[5], "", "Release", " builds wait for one machine."),
        ]
    )


def _running(daemon: ReplayClient) -> None:
    finished(daemon)
    daemon.stream_of("a").tell(
        MessageEvent(user(3, "Please fix both.", created_at=LATER)),
        status("running", TITLE, versions=versions(5, 5, 5)),
    )


def streaming(daemon: ReplayClient) -> None:
    _running(daemon)
    daemon.stream_of("a").tell(
        part("Let me look", 0, 0, "5.1", "reasoning"), part(GROWING, 0, 1, "5.1"), CaughtUp(5)
    )


def _queue(daemon: ReplayClient, held: bool) -> None:
    waiting = [queued(1, "then update the changelog"), queued(2, "and run the linter")]
    daemon.stream_of("a").tell(QueueUpdate(waiting, held), CaughtUp(6))


def queueing(daemon: ReplayClient) -> None:
    streaming(daemon)
    _queue(daemon, held=False)


def held(daemon: ReplayClient) -> None:
    finished(daemon)
    stopped = answer(4, "Both timers now come from", finish="interrupted", created_at=LATER)
    daemon.stream_of("a").tell(
        MessageEvent(user(3, "Please fix both.", created_at=LATER)),
        MessageEvent(stopped),
        status("paused", TITLE, versions=versions(7, 7, 5)),
    )
    _queue(daemon, held=True)


def retrying(daemon: ReplayClient) -> None:
    _running(daemon)
    retry = RetryInfo(1, 10, 8000, T0 + timedelta(seconds=7), OVERLOADED)
    daemon.stream_of("a").tell(RetryEvent(retry), CaughtUp(6))


def failed(daemon: ReplayClient) -> None:
    _running(daemon)
    daemon.stream_of("a").tell(
        MessageEvent(failure(6, BAD_KEY, created_at=LATER)),
        status("error", TITLE, versions=versions(6, 6, 5)),
        ErrorEvent(BAD_KEY),
        CaughtUp(6),
    )


def disconnected(daemon: ReplayClient) -> None:
    finished(daemon)
    since = T0 - timedelta(seconds=12)
    daemon.watching.tell(ConnectionLost("connection refused", since, 4.0))


def offline(daemon: ReplayClient) -> None:
    daemon.absent = True


def archived(daemon: ReplayClient) -> None:
    finished(daemon)
    daemon.archived_pages[None] = ChatPage([chat("a", TITLE, archived=True), *PUT_AWAY])
    daemon.watching.tell(ChatUpdated(chat("a", TITLE, archived=True), []))


# The scenes: the function, the open chat, and the text that a snapshot waits for.
ASKED = OpenCall(
    "c1",
    "ask_user",
    "",
    question="Which timer should stay? Both paths create one, and only one of the two is released"
    " when the relay drains.",
    options=[
        "The one in __init__, shared by both paths",
        "A new one in each path, released by the path itself",
        "None: poll instead",
    ],
)


def asking(daemon: ReplayClient) -> None:
    asks = replace(CHATS[0], status="requires_action", queue_length=0)
    daemon.open(asks, *CHATS[1:])
    arguments = msgspec.json.encode({"question": ASKED.question, "options": ASKED.options})
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    stream.tell(
        MessageEvent(user(1, QUESTION)),
        MessageEvent(
            answer(
                2,
                "It waits for one timer, but **two** code paths create it.",
                ToolCall("c1", "ask_user", arguments.decode()),
                finish="tool_calls",
            )
        ),
        status("requires_action", TITLE, versions=versions(4, 4, 2)),
        ActionRequired(["c1"], calls=[ASKED]),
        UsageEvent(None, 46_000, 200_000, 410_000),
        CaughtUp(4),
    )


SCENES: dict[str, tuple[Scene, str | None, str]] = {
    "empty": (empty, None, "You are talking to sonnet"),
    "first_run": (first_run, None, "palaver demo"),
    "finished": (finished, "a", "only reset it in"),
    "streaming": (streaming, "a", "is answering"),
    "queued": (queueing, "a", "Queue · 2"),
    "held": (held, "a", "held"),
    "asking": (asking, "a", "The model asks"),
    "retrying": (retrying, "a", "Retrying in"),
    "failed": (failed, "a", "The key was not accepted"),
    "disconnected": (disconnected, "a", "Lost the connection"),
    "offline": (offline, None, "No connection"),
    "marked": (marked, "a", "only reset it in"),
    "archived": (archived, "a", "archived · ⏎ brings it back"),
}
SIZES = ((80, 24), (120, 40), (60, 20))
