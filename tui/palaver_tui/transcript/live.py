"""Live section: the live answer's growing blocks as a stack."""

from __future__ import annotations

from collections.abc import Callable

from palaver_tui.state.chat import ChatView, Live, LiveBlock
from palaver_tui.text.document import Laid, MarkdownDocument
from palaver_tui.transcript.blocks import BLANK_LINE, Block, GapAfter, Stack, label, note
from palaver_tui.transcript.calls.call import CallBlock, CallState
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.message_stacks import MARGIN, CallFactory, is_shown, spaced
from palaver_tui.transcript.thoughts import ReasoningBlock


class LiveSection:
    """The stack of a `Live`; an update reuses the blocks of the last one."""

    def __init__(self, model: str | None, clock: str, labelled: bool, calls: CallFactory) -> None:
        self._head = [Block(label(model or "assistant", clock, "agent"), MARGIN, "label")]
        if not labelled:
            self._head = []
        self._calls = calls
        self._live: Live | None = None
        self._documents: dict[int, MarkdownDocument] = {}
        self._thoughts: dict[int, ReasoningBlock] = {}
        self._notes: dict[int, Laid] = {}
        self._gaps: dict[Laid, GapAfter] = {}
        self.stack = Stack([*self._head, Block(BLANK_LINE, MARGIN)])
        self.empty = True

    def update(self, live: Live, folds: Folds, elsewhere: Callable[[str], bool]) -> None:
        """Update the stack to `live`, without output of calls shown `elsewhere`, in a message."""
        self._live = live
        body: list[Laid] = []
        for block in live.blocks:
            if block.kind in {"tool_output", "tool_result"} and block.call_id:
                if elsewhere(block.call_id):
                    continue
                laid: Laid | None = self._calls(block.call_id, block.name or "tool")
                if any(laid is other for other in body):
                    continue
            else:
                laid = self._laid(block, folds, block is live.blocks[-1])
            if laid is not None:
                body.append(laid)
        self.empty = not body
        end = self._gap_after(body[-1]) if body else BLANK_LINE
        self.stack.blocks = [*self._head, *spaced(body, self._gap_after), Block(end, MARGIN)]

    def _gap_after(self, laid: Laid) -> GapAfter:
        if laid not in self._gaps:
            self._gaps[laid] = GapAfter(laid)
        return self._gaps[laid]

    def _laid(self, block: LiveBlock, folds: Folds, last: bool) -> Laid | None:
        match block.kind:
            case "text":
                document = self._documents.get(block.number)
                if document is None or document.text_length > block.text.length:  # begun anew
                    document = self._documents[block.number] = MarkdownDocument()
                document.feed(block.text.since(document.text_length))
                return document if block.text.length else None
            case "reasoning":
                return self._thought(block, folds)
            case "tool_call":
                call = self._calls(block.call_id or "", block.name or "tool")
                state: CallState = "writing" if last else "waiting"
                if call.state == "writing" or block.text.length > len(call.arguments):
                    call.show(folds, arguments=str(block.text), state=state)
                return call
            case "compaction":
                words = "compacting the conversation"
                return self._notes.setdefault(block.number, note("⇣", words, "accent"))
            case _:
                return None

    def _thought(self, block: LiveBlock, folds: Folds) -> ReasoningBlock:
        thought = self._thoughts.get(block.number)
        if thought is None or thought.text_length > block.text.length:  # begun anew
            assert self._live is not None
            new = FoldKey("reasoning", self._live.episode, len(self._thoughts))
            key = new if thought is None else thought.key
            thought = self._thoughts[block.number] = ReasoningBlock(key, growing=True)
        thought.show(folds)
        thought.feed(block.text.since(thought.text_length))
        return thought

    def take_texts(self) -> dict[str, MarkdownDocument]:
        """Return the documents by their text, for the message that replaces the live answer."""
        texts = {}
        for block in self._live.blocks if self._live else ():
            if block.kind == "text" and block.number in self._documents:
                texts[str(block.text)] = self._documents[block.number]
        return texts

    def calls_in(self) -> list[CallBlock]:
        """Return the blocks of calls in the stack."""
        return [block.laid for block in self.stack.blocks if isinstance(block.laid, CallBlock)]


def labelled_live(view: ChatView, model: str | None) -> bool:
    """Return whether the live answer needs a label, as it does not follow the same model's."""
    shown = [message for message in view.messages[-4:] if is_shown(message)]
    return not shown or shown[-1].role != "assistant" or shown[-1].model != model
