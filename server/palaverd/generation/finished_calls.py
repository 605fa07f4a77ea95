"""Results of a step's calls that are not committed yet.

A stop in the middle of a step keeps what finished, and so does a commit that fails and is tried
again. Calls that only read are not in the journal, nor is the last one with effects, so their
results are kept here while the chat has a runner.
"""

from __future__ import annotations

from collections.abc import Mapping

from palaver.wire.messages import ToolResult


class FinishedCalls:
    """Results by chat, of the newest step of each."""

    def __init__(self) -> None:
        self._of_chat: dict[str, tuple[int, dict[str, ToolResult]]] = {}

    def add(self, chat_id: str, history_version: int, result: ToolResult) -> None:
        """Keep a result of the step on this history; those of another history are dropped."""
        version, results = self._of_chat.get(chat_id, (None, {}))
        if version != history_version:
            results = {}
            self._of_chat[chat_id] = (history_version, results)
        results[result.call_id] = result

    def of(self, chat_id: str, history_version: int) -> Mapping[str, ToolResult]:
        """Return the results of the step on this history, by call id."""
        version, results = self._of_chat.get(chat_id, (None, {}))
        return results if version == history_version else {}

    def drop(self, chat_id: str) -> None:
        """Forget a chat's results: nobody runs it here any more."""
        self._of_chat.pop(chat_id, None)
