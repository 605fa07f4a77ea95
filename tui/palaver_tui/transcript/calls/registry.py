"""Registry of a chat's calls: one block for each call, live and committed."""

from __future__ import annotations

from collections.abc import Iterable

from palaver.wire.messages import Message, ToolCall, ToolResult
from palaver_tui.state.chat import ChatView
from palaver_tui.transcript.calls.call import CallBlock, CallState
from palaver_tui.transcript.folds import Folds


class CallRegistry:
    """The blocks of calls, by the calls' ids; updates them from the view."""

    def __init__(self, draws: bool = True) -> None:
        self._draws = draws  # whether the terminal can show pictures
        self.results: dict[str, ToolResult] = {}
        self._blocks: dict[str, CallBlock] = {}
        self._committed: dict[str, ToolCall] = {}
        self._view: ChatView | None = None
        self._folds = Folds()
        self._unresolved: set[str] = set()  # calls in a message whose block has no result yet
        self._last_turn: frozenset[str] = frozenset()
        self._fed: dict[str, tuple[str, int, int]] = {}  # episode, block number, characters

    def __call__(self, call_id: str, name: str) -> CallBlock:
        """Return the block of a call; creates it if there is none."""
        block = self._blocks.get(call_id)
        if block is None:
            block = self._blocks[call_id] = CallBlock(call_id, name, self._draws)
            if self._view is not None and call_id in self._committed:
                self._tell(call_id, self._view, self._folds)
        return block

    def draw_pictures(self, draws: bool) -> None:
        """Show pictures, or only their captions."""
        self._draws = draws
        for block in self._blocks.values():
            block.draw_pictures(draws)

    def is_committed(self, call_id: str) -> bool:
        """Return whether the call is in a message."""
        return call_id in self._committed

    def take(self, messages: Iterable[Message]) -> None:
        """Store the calls and results in `messages`; discard all others."""
        self.results.clear()
        self._committed.clear()
        last: set[str] = set()
        for message in messages:
            if message.role == "user":
                last.clear()
            for part in message.parts:
                if isinstance(part, ToolResult):
                    self.results[part.call_id] = part
                elif isinstance(part, ToolCall):
                    self._committed[part.id] = part
                    last.add(part.id)
        self._last_turn = frozenset(last)
        self._unresolved = {
            call_id
            for call_id in self._committed
            if (block := self._blocks.get(call_id)) is None or block.result is None
        }

    def forget(self, live: Iterable[str]) -> None:
        """Drop the blocks of calls that are in no message and not in the `live` answer."""
        kept = self._committed.keys() | set(live)
        for call_id in self._blocks.keys() - kept:
            del self._blocks[call_id]
            self._fed.pop(call_id, None)

    def update(self, view: ChatView, folds: Folds) -> set[str]:
        """Update the blocks of all calls; return the ids of those that changed."""
        self._view, self._folds = view, folds
        changed = self._feed(view)
        for call_id in self._unresolved & self._blocks.keys():
            if self._tell(call_id, view, folds):
                changed.add(call_id)
            if self._blocks[call_id].result is not None:
                self._unresolved.discard(call_id)
        return changed

    def _tell(self, call_id: str, view: ChatView, folds: Folds) -> bool:
        """Update the block of one call; return whether it changed."""
        block, call = self._blocks[call_id], self._committed[call_id]
        before = (block.state, block.arguments)
        result = self.results.get(call_id)
        state = self._state(call_id, view)
        block.show(folds, arguments=call.arguments, state=state, result=result)
        return before != (block.state, block.arguments)

    def _state(self, call_id: str, view: ChatView) -> CallState:
        if call_id in view.open_calls:
            return "asks"
        if call_id not in self._last_turn or view.status not in {"running", "interrupting"}:
            return "open"
        return "running" if call_id in self._fed else "waiting"

    def _feed(self, view: ChatView) -> set[str]:
        """Feed live output to the blocks of its calls; return their ids."""
        grown: set[str] = set()
        episode = view.live.episode if view.live else ""
        for live in view.live.blocks if view.live else ():
            if live.kind != "tool_output" or not live.call_id:
                continue
            block = self(live.call_id, live.name or "tool")
            known = self._fed.get(live.call_id, ("", -1, 0))
            if known[0] != episode:
                block.restart()  # another attempt runs it from the beginning
            fed = known[2] if known[:2] == (episode, live.number) else 0
            if live.text.length > fed:
                block.feed(live.text.since(fed))
                grown.add(live.call_id)
            self._fed[live.call_id] = (episode, live.number, live.text.length)
        return grown
