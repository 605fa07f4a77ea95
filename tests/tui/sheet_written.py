"""A chat with every construct of Markdown, and every way in which a message ends."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from palaver.client import Connected
from palaver.wire.events import CaughtUp, MessageEvent, UsageEvent
from palaver.wire.messages import Boundary, Message
from palaver_tui.app import PalaverApp
from palaver_tui.widgets.transcript.widget import Transcript
from tui.replay import T0, ReplayClient, answer, chat, problem, status, user, versions
from tui.screen import settled

TITLE = "Everything that is written"
FLAG = "\U0001f3f4" + "".join(chr(0xE0000 + ord(one)) for one in "gbsct") + "\U000e007f"
MARKDOWN = f"""\
# Timers, from the beginning

Text with **strong**, *emphasis*, ***both***, ~~struck out~~, `inline code`, a
[link](https://docs.example/timers) and an address: <https://docs.example/api>. It is long enough
to be wrapped, with a word that no line holds:
`src/palaver_tui/widgets/transcript_with_a_name_that_goes_on_and_on_and_on_until_it_is_too_long.py`.

## What there is

- a list
  - that is nested
    - three deep, with *marks* and `code` in it
- another item

  with a second paragraph
- [ ] a task
- [x] one that is done

1. first
2. second
   ```python
   async def drain(self) -> None:
       \"\"\"Wait until nothing is left.\"\"\"
       while self._pending > 0:
           await self._timer.wait()  # made again by stop()
   ```
10. tenth

### A table, and a quote

| path      | timers | released | what becomes of it                                    |
|:----------|-------:|:--------:|-------------------------------------------------------|
| `drain()` |      1 |    ✓     | is waited for until **nothing** is left               |
| 停止()    |     20 |    ✗     | leaks its `Event` whenever [both](https://x.example) run |

> Whichever runs second leaks its `Event`.
>
> > - so it is said
> > - in a quote of a quote

---

```diff
@@ -1,2 +1,2 @@
-    trap.wait()
+    await trap.wait()
```

#### Scripts

中文和日本語、한국어 stand beside Latin; 👩‍👩‍👧 ❤️ 🇩🇪 {FLAG} are one each; e\u0301 is é.
שלום עולם and مرحبا are written from the right. \u202eHidden\u200b turns are shown: \x1b[31m.

```
a fence that says no language, with a\ttab and a line that is too long for a narrow window, surely
```
"""


def messages() -> list[Message]:
    """Return the messages of the chat, oldest first."""
    return [
        user(
            1, "Tell me about timers.\n\n    indented, *as typed*\n\tand with a tab", created_at=T0
        ),
        answer(2, MARKDOWN, finish="stop"),
        user(3, "Go on."),
        answer(4, "There are three kinds of", finish="length"),
        user(5, "Go on."),
        answer(6, "The first kind is", finish="content_filter"),
        user(7, "Go on."),
        answer(8, "Then I would", finish="interrupted"),
        Message(9, "system", [Boundary("cleared")], revision=9, created_at=T0),
        user(31, "And now?", created_at=T0),
        answer(32, "Nothing that I know of.", finish="stop"),
    ]


def written(daemon: ReplayClient) -> None:
    """Open the chat."""
    daemon.open(chat("a", TITLE))
    stream = daemon.stream_of("a")
    stream.tell(Connected())
    stream.tell(
        *[MessageEvent(message) for message in messages()],
        status("waiting", TITLE, versions=versions(9, 9, 9)),
        UsageEvent(None, 46_000, 200_000, 410_000),
        CaughtUp(9),
    )


async def on_their_way(app: PalaverApp, daemon: ReplayClient) -> None:
    """Send a message that is refused and one that stays outgoing; add a gap above them."""
    session = app.session
    # What is fetched at the start is there, else it would be refused too.
    await settled(app, lambda: not session.view.older and session.chats.archive.loaded)
    app.main.query_one(Transcript).viewport.stay()  # else the messages above the gap are dropped
    vars(session.message_pages)["newer"] = lambda: None
    session.views["a"] = replace(session.view, gap=9)
    daemon.refusal = problem("This chat is archived: take it back first.")
    session.send("A message that nobody takes,\nof two lines.")
    while not any(item.state == "refused" for item in session.view.outgoing):
        await asyncio.sleep(0)
    daemon.answers.clear()
    session.send("One that is still on its way.")
