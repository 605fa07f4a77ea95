"""What people see of a step's tool calls while they run."""

from __future__ import annotations

from collections.abc import Callable

from palaverd.generation.cancellation import Cause
from palaverd.generation.environment import Assignment, Environment
from palaverd.store.calls import Identity
from palaverd.store.rows import ChatRow
from palaverd.stream.episode import Episode


class LiveOutput:
    """The episode of a step's calls: a block for each that says something.

    It begins with the first call that has effects; what only reads is over soon.
    """

    def __init__(self, env: Environment, job: Assignment, row: ChatRow) -> None:
        self._env = env
        self._job = job
        self._row = row
        self._episode: Episode | None = None
        self._blocks: dict[str, int] = {}

    def open(self) -> bool:
        """Begin the episode, before clients can see its attempt; False if it has begun already."""
        if self._episode is not None:
            return False
        key = f"{self._row.history_version}.{self._row.generation_attempt + 1}"
        self._episode = self._env.episodes.begin(self._job.chat_id, key)
        return True

    def counts(self) -> None:
        """Record that the attempt is in the database."""
        self._env.episodes.counts(self._job.chat_id)

    def speaker(self, call: Identity) -> Callable[[str], None]:
        """Return the function that shows what a call says."""

        def say(text: str) -> None:
            episode = self._episode
            if episode is None or not text:
                return
            block = self._blocks.get(call.call_id)
            if block is None:
                block = episode.open_block("tool_output", name=call.tool, call_id=call.call_id)
                self._blocks[call.call_id] = block
            if episode.append(block, text):
                self._env.episodes.wake(self._job.chat_id)

        return say

    def end(self) -> None:
        """End the episode, unless a stop needs it until that is committed."""
        if self._job.cancellation.cause is not Cause.INTERRUPTED:
            self._env.episodes.end(self._job.chat_id, self._episode)
