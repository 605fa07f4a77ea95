"""The sections of a transcript: what each message, live answer and sent message looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from palaver.wire.messages import (
    Boundary,
    Message,
    Reasoning,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from palaver_tui.layout.document import Laid, MarkdownDocument, PlainDocument
from palaver_tui.layout.faces import PLAIN, Face, Span
from palaver_tui.layout.parts import (
    BLANK_LINE,
    Block,
    Stack,
    boundary_line,
    ending,
    label,
    note,
    rule,
    seconds,
    source_line,
    tool_line,
)
from palaver_tui.view.chat import ChatView, Live, LiveBlock, Outgoing
from palaver_tui.view.reduce import user_text

MARGIN = Span("  ", PLAIN)
USER_MARGIN = Span("▎ ", Face("user"))


@dataclass(frozen=True)
class Look:
    """What a person chose about how messages are shown."""

    zone: tzinfo | None = None  # None: the machine's own
    show_reasoning: bool = False


@dataclass(frozen=True)
class Place:
    """What a message needs to know about its neighbours."""

    new_day: bool
    labelled: bool
    results: tuple[ToolResult, ...] = ()


def clock_of(at: datetime, look: Look) -> str:
    """Return the time of day as the person's clock shows it."""
    return at.astimezone(look.zone).strftime("%H:%M")


def _day(at: datetime, look: Look) -> str:
    local = at.astimezone(look.zone)
    return f"{local:%A}, {local.day} {local:%B %Y}"


def places(messages: tuple[Message, ...], look: Look) -> Iterator[tuple[Message, Place]]:
    """Yield the messages that a person sees, each with its place."""
    results = {
        part.call_id: part
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResult)
    }
    shown = [message for message in messages if _is_shown(message)]
    for before, message in pairwise([None, *shown]):
        assert message is not None
        new_day = before is not None and _day(before.created_at, look) != _day(
            message.created_at, look
        )
        follows = before is not None and before.role == message.role == "assistant"
        same = follows and before is not None and before.model == message.model
        calls = [part.id for part in message.parts if isinstance(part, ToolCall)]
        own = tuple(results[call] for call in calls if call in results)
        yield message, Place(new_day, not same or new_day, own)


def _is_shown(message: Message) -> bool:
    return message.visibility != "model" and message.role in {"user", "assistant", "system"}


def message_stack(
    message: Message, place: Place, look: Look, texts: Mapping[str, MarkdownDocument]
) -> Stack:
    """Return a committed message. `texts` are laid-out documents it may take over by their text."""
    blocks: list[Block] = []
    if place.new_day:
        blocks.append(Block(rule(_day(message.created_at, look)), MARGIN))
    clock = clock_of(message.created_at, look)
    if message.role == "user":
        blocks.append(Block(label("you", clock, "user"), USER_MARGIN))
        blocks.append(Block(PlainDocument(user_text(message)), USER_MARGIN))
    else:
        if place.labelled and any(not isinstance(part, Boundary) for part in message.parts):
            blocks.append(Block(label(message.model or "assistant", clock, "agent"), MARGIN))
        results = {result.call_id: result for result in place.results}
        body = [_committed(part, results, look, texts) for part in message.parts]
        blocks += _spaced([laid for laid in body if laid is not None])
        if (end := ending(message)) is not None:
            blocks += [Block(BLANK_LINE, MARGIN), Block(end, MARGIN)]
    blocks.append(Block(BLANK_LINE, MARGIN))
    return Stack(blocks)


def _spaced(body: list[Laid]) -> list[Block]:
    """Set parts under each other; texts with a blank line around them, single lines without."""
    blocks: list[Block] = []
    for before, laid in pairwise([None, *body]):
        assert laid is not None
        if before is not None and (
            isinstance(laid, MarkdownDocument) or isinstance(before, MarkdownDocument)
        ):
            blocks.append(Block(BLANK_LINE, MARGIN))
        blocks.append(Block(laid, MARGIN))
    return blocks


def _committed(
    part: object,
    results: Mapping[str, ToolResult],
    look: Look,
    texts: Mapping[str, MarkdownDocument],
) -> Laid | None:
    match part:
        case Text(text=text):
            known = texts.get(text)
            if known is not None:
                known.finish()
                return known
            return MarkdownDocument(text, finished=True) if text.strip() else None
        case Reasoning(text=text, duration_ms=duration):
            return _reasoning(text, duration, look)
        case ToolCall():
            return tool_line(part, part.name, results.get(part.id), running=False)
        case Source():
            return source_line(part)
        case Boundary():
            return boundary_line(part)
        case _:
            return None


def _reasoning(text: str, duration: int | None, look: Look) -> Laid:
    if look.show_reasoning and text:
        return PlainDocument(text.strip(), Face("muted", italic=True))
    took = f"thought for {seconds(duration)}" if duration is not None else "thought"
    return note("∴", took, "muted")


class LiveSection:
    """The live answer: its blocks as they grow."""

    def __init__(self, model: str | None, clock: str, labelled: bool, look: Look) -> None:
        self._head = [Block(label(model or "assistant", clock, "agent"), MARGIN)]
        if not labelled:
            self._head = []
        self._look = look
        self._live: Live | None = None
        self._documents: dict[int, MarkdownDocument] = {}
        self._lines: dict[int, tuple[int, Laid]] = {}
        self.stack = Stack([*self._head, Block(BLANK_LINE, MARGIN)])

    def update(self, live: Live) -> None:
        """Take what is new in `live`."""
        body = [laid for block in live.blocks if (laid := self._laid(block)) is not None]
        blocks = [*self._head, *_spaced(body), Block(BLANK_LINE, MARGIN)]
        self.stack.blocks = blocks
        self._live = live

    def _laid(self, block: LiveBlock) -> Laid | None:
        if block.kind == "text":
            document = self._documents.setdefault(block.number, MarkdownDocument())
            document.feed(block.text.since(document.text_length))
            return document if block.text.length else None
        known = self._lines.get(block.number)
        if known is not None and known[0] == block.text.length:
            return known[1]
        laid = self._line(block)
        self._lines[block.number] = (block.text.length, laid)
        return laid

    def _line(self, block: LiveBlock) -> Laid:
        if block.kind == "reasoning":
            if self._look.show_reasoning:
                return PlainDocument(str(block.text).strip(), Face("muted", italic=True))
            words = str(block.text).count(" ") + 1
            return note("∴", f"thinking · {words} words", "muted")
        if block.kind == "compaction":
            return note("⇣", "compacting the conversation", "accent")
        call = ToolCall(block.call_id or "", block.name or "tool", str(block.text))
        return tool_line(call, call.name, None, running=True)

    def take_texts(self) -> dict[str, MarkdownDocument]:
        """Return the documents by their text: the message that replaces them goes on with them."""
        texts = {}
        for block in self._live.blocks if self._live else ():
            if block.kind == "text" and block.number in self._documents:
                texts[str(block.text)] = self._documents[block.number]
        return texts


def outgoing_stack(outgoing: Outgoing, look: Look) -> Stack:
    """Return a message that is on its way: as tall as what it will become."""
    words = {"sending": "sending", "waiting": "waiting for the connection", "refused": "not sent"}
    remark, ink = words[outgoing.state], "muted"
    if outgoing.state == "refused":
        ink = "error"
    clock = clock_of(outgoing.created_at, look)
    blocks = [
        Block(label("you", clock, "user", remark, ink), USER_MARGIN),  # type: ignore[arg-type]
        Block(PlainDocument(outgoing.content, Face("muted")), USER_MARGIN),
    ]
    if outgoing.state == "refused" and outgoing.reason:
        blocks.append(Block(note("✗", outgoing.reason, "error"), USER_MARGIN))
    blocks.append(Block(BLANK_LINE, MARGIN))
    return Stack(blocks)


def labelled_live(view: ChatView, model: str | None) -> bool:
    """Say whether the live answer needs its own label, or goes on under the one above."""
    shown = [message for message in view.messages[-4:] if _is_shown(message)]
    return not shown or shown[-1].role != "assistant" or shown[-1].model != model
