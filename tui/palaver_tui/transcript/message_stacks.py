"""The stacks of a transcript: the blocks of a message, a run of steps, an outgoing message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec

from palaver.wire.messages import (
    Boundary,
    Failure,
    File,
    Message,
    Reasoning,
    Source,
    Text,
    ToolCall,
)
from palaver_tui.state.chat import Outgoing
from palaver_tui.state.reduce import user_text
from palaver_tui.text.document import Laid, MarkdownDocument, PlainDocument
from palaver_tui.text.durations import seconds
from palaver_tui.text.spans import PLAIN, Face, Ink, Span
from palaver_tui.transcript.blocks import (
    BLANK_LINE,
    Block,
    GapAfter,
    Stack,
    boundary_line,
    ending,
    failure_mark,
    file_line,
    folded_line,
    label,
    note,
    rule,
    source_line,
)
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.folds import FoldKey
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.steps import Steps
from palaver_tui.transcript.thoughts import ReasoningBlock

MARGIN = Span("  ", PLAIN)
USER_MARGIN = Span("▎ ", Face("user"))
# Returns the block of a call, by its id and name: the same one while it streams and after.
CallFactory = Callable[[str, str], CallBlock]


class Placement(msgspec.Struct, frozen=True):
    """How a message is shown because of its neighbours."""

    new_day: bool
    labelled: bool
    tight: bool = False  # no gap below: the next message continues on the next line


def clock_of(at: datetime, look: Look) -> str:
    """Return the time of day in the user's time zone."""
    return at.astimezone(look.zone).strftime("%H:%M")


def _day(at: datetime, look: Look) -> str:
    local = at.astimezone(look.zone)
    return f"{local:%A}, {local.day} {local:%B %Y}"


def begins_day(before: datetime | None, at: datetime, look: Look) -> bool:
    """Return whether a date is shown above a message of `at`: its day is not that of `before`.

    For the first message `before` is None: it has a date unless it is today's.
    """
    above = before or (look.now() if look.now is not None else at)
    return _day(above, look) != _day(at, look)


def is_shown(message: Message) -> bool:
    """Return whether a message is shown as one; results are shown with their calls."""
    return message.visibility != "model" and message.role in {"user", "assistant", "system"}


def placements(shown: Sequence[Message], look: Look) -> Iterator[tuple[Message, Placement]]:
    """Yield the messages, which are all shown, each with its placement."""
    for before, message, after in zip([None, *shown], shown, [*shown[1:], None], strict=False):
        new_day = begins_day(before.created_at if before else None, message.created_at, look)
        follows = before is not None and before.role == message.role == "assistant"
        same = follows and before is not None and before.model == message.model
        tight = after is not None and _goes_on(message, after, look)
        yield message, Placement(new_day, not same or new_day, tight)


def _goes_on(message: Message, after: Message, look: Look) -> bool:
    """Return whether a step ends with a call, and the next begins with a call or a thought."""
    return (
        message.role == after.role == "assistant"
        and message.model == after.model
        and _day(message.created_at, look) == _day(after.created_at, look)
        and message.finish in {None, "tool_calls", "stop"}
        and isinstance(message.parts[-1] if message.parts else None, ToolCall)
        and isinstance(after.parts[0] if after.parts else None, ToolCall | Reasoning)
    )


def message_stack(
    message: Message,
    place: Placement,
    look: Look,
    texts: Mapping[str, MarkdownDocument],
    calls: CallFactory,
) -> Stack:
    """Return the stack of a committed message.

    `texts` are documents that are laid out already, to be reused, by their text.
    """
    blocks = _head(message, place, look)
    clock = clock_of(message.created_at, look)
    if message.role == "user":
        blocks.append(Block(label("you", clock, "user"), USER_MARGIN, "label"))
        blocks.append(Block(PlainDocument(user_text(message)), USER_MARGIN, 0))
        files = [part for part in message.parts if isinstance(part, File)]
        blocks += [Block(file_line(file), USER_MARGIN) for file in files]
    else:
        thoughts = iter(range(len(message.parts)))
        body: list[Laid] = []
        for part in message.parts:
            if isinstance(part, Reasoning):
                key = FoldKey("reasoning", str(message.id), next(thoughts))
                body.append(ReasoningBlock(key, part.text.strip(), duration_ms=part.duration_ms))
            elif isinstance(part, Failure):
                body.append(failure_mark(part.error, clock))
            elif (laid := _committed(part, texts, calls)) is not None:
                body.append(laid)
        blocks += spaced(body)
        if (end := ending(message)) is not None:
            blocks += [Block(BLANK_LINE, MARGIN), Block(end, MARGIN, "end")]
    if not place.tight:
        blocks.append(Block(GapAfter(blocks[-1].laid) if blocks else BLANK_LINE, MARGIN))
    return Stack(blocks)


def _head(message: Message, place: Placement, look: Look) -> list[Block]:
    """Return the date, if a day begins, and the label of the one who answers."""
    blocks: list[Block] = []
    if place.new_day:
        blocks.append(Block(rule(_day(message.created_at, look)), MARGIN, "day"))
    spoken = any(not isinstance(part, Boundary | Failure) for part in message.parts)
    if place.labelled and message.role != "user" and spoken:
        clock = clock_of(message.created_at, look)
        # Messages of the daemon itself have its name.
        unnamed = "palaver" if message.role == "system" else "assistant"
        name = label(message.model or unnamed, clock, "agent")
        blocks.append(Block(name, MARGIN, "label"))
    return blocks


def steps_stack(steps: Steps, first: Message, place: Placement, look: Look, open_: bool) -> Stack:
    """Return the head of a run of steps; `first` is its first message, `place` that one's."""
    words = f"{len(steps.ids)} steps"
    if steps.calls != len(steps.ids):
        words += f", {steps.calls} calls"
    if steps.took_ms is not None:
        words += f" · {seconds(steps.took_ms)}"
    line = folded_line(words, steps.key, open_)
    gap = [] if open_ else [Block(BLANK_LINE, MARGIN)]
    return Stack([*_head(first, place, look), Block(line, MARGIN, "steps"), *gap])


def spaced(body: Sequence[Laid], gap_after: Callable[[Laid], Laid] = GapAfter) -> list[Block]:
    """Return the parts as blocks; texts with a gap above and below, single lines without.

    For a stack that is updated again and again, `gap_after` returns the same gap for the same part
    each time.
    """
    blocks: list[Block] = []
    for number, (before, laid) in enumerate(pairwise([None, *body])):
        assert laid is not None
        if before is not None and (
            isinstance(laid, MarkdownDocument) or isinstance(before, MarkdownDocument)
        ):
            blocks.append(Block(gap_after(before), MARGIN))
        blocks.append(Block(laid, MARGIN, number))
    return blocks


def _committed(
    part: object, texts: Mapping[str, MarkdownDocument], calls: CallFactory
) -> Laid | None:
    match part:
        case Text(text=text):
            known = texts.get(text)
            if known is not None:
                known.finish()
                return known
            return MarkdownDocument(text, finished=True) if text.strip() else None
        case ToolCall():
            return calls(part.id, part.name)
        case Source():
            return source_line(part)
        case Boundary():
            return boundary_line(part)
        case _:
            return None


def outgoing_stack(outgoing: Outgoing, look: Look, new_day: bool = False) -> Stack:
    """Return the stack of an outgoing message: as high as the message it will become."""
    words = {"sending": "sending", "waiting": "waiting for the connection", "refused": "not sent"}
    ink: Ink = "error" if outgoing.state == "refused" else "muted"
    clock = clock_of(outgoing.created_at, look)
    blocks = [Block(rule(_day(outgoing.created_at, look)), MARGIN, "day")] if new_day else []
    blocks += [
        Block(label("you", clock, "user", words[outgoing.state], ink), USER_MARGIN, "label"),
        Block(PlainDocument(outgoing.content, Face("muted")), USER_MARGIN, 0),
    ]
    if outgoing.state == "refused" and outgoing.reason:
        blocks.append(Block(note("✗", outgoing.reason, "error"), USER_MARGIN))
    blocks.append(Block(BLANK_LINE, MARGIN))
    return Stack(blocks)


def gap_stack() -> Stack:
    """Return the line where messages are missing, which were not fetched, or dropped."""
    return Stack([Block(rule("more messages between"), MARGIN, "gap")])
