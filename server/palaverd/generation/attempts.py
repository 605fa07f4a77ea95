"""The attempts of one model call: which model is asked, and what follows a failure."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaverd.failures import GiveUp, decide, wording
from palaverd.failures.fallback import Tried, whose_turn
from palaverd.failures.retry import Wait, soon, while_loading
from palaverd.failures.spent import LOADING, spent
from palaverd.generation.catalog import Chosen
from palaverd.generation.environment import Environment

# A first empty answer is retried; a second one is taken as the model's answer.
EMPTY_ANSWERS = 2
# An answer without a finish word may be incomplete: the first is retried, the second is kept.
UNMARKED_ANSWERS = 2


class Attempts:
    """The attempts on one history. `tried` are those of earlier tasks."""

    def __init__(self, env: Environment, tried: list[Tried]) -> None:
        self._env = env
        self._tried = tried
        now, before = env.clock.monotonic(), spent(tried, env.door.now_ms(), env.retry.longest_hint)
        self._began = now - before.attempts - (before.loading or 0.0)
        self._empty = 0
        self._unmarked = 0
        self._own: ChatError | None = None
        self._loading_since = None if before.loading is None else now - before.loading

    def whose_turn(self, wanted: Chosen) -> Chosen:
        """Return the model to ask next: the wanted one, or a fallback."""
        name = self._name(wanted)
        return wanted if name == wanted.name else self._env.catalog.stand_in(wanted, name)

    def keeps_unmarked(self, wanted: Chosen, attempt: int) -> bool:
        """Return whether to keep an answer without a finish word, instead of asking again.

        One retry is enough to learn that the server ends all answers like this.
        """
        policy = wanted.patience(self._env.retry)
        elapsed = self._env.clock.monotonic() - self._began
        last = attempt >= policy.max_attempts or elapsed + policy.cap > policy.max_elapsed
        self._unmarked += 1
        return last or self._unmarked >= UNMARKED_ANSWERS

    def failed(
        self, wanted: Chosen, asked: Chosen, error: ChatError, attempt: int, *, empty: bool
    ) -> RetryInfo | GiveUp:
        """Record a failure of `asked`; return the wait before the next attempt, or the end.

        A fallback has one attempt; its failure decides nothing about the wanted model, which
        continues with its own.
        """
        # Requests to a model that is loading count neither as attempts nor against their time.
        attempt -= sum(one.outcome == LOADING for one in self._tried)
        self._tried.append(Tried(asked.name, error.kind))
        loading = self._loaded_for(error)
        self._empty += empty
        if self._empty == EMPTY_ANSWERS:
            error = wording.empty_again(error)
        if asked.name == wanted.name:
            self._own = error
        decisive = self._own or msgspec.structs.replace(error, retryable=True)
        policy, following = wanted.patience(self._env.retry), self._name(wanted)
        verdict: Wait | GiveUp
        if error.kind == LOADING and following == asked.name:
            verdict = while_loading(
                policy, error, since=loading, longest=asked.loading, random=self._env.chance
            )
        elif decisive.retryable and following not in (wanted.name, asked.name):
            verdict = soon(policy, self._env.chance)
        else:
            verdict = decide(
                policy,
                decisive,
                attempt=attempt,
                elapsed=self._env.clock.monotonic() - self._began,
                random=self._env.chance,
                now=self._env.clock.now(),
            )
        if isinstance(verdict, GiveUp):
            return verdict
        return RetryInfo(
            attempt=attempt,
            max_attempts=policy.max_attempts,
            delay_ms=verdict.delay_ms,
            retrying_at=self._env.clock.now() + timedelta(milliseconds=verdict.delay_ms),
            error=error if following == asked.name else wording.passed_on(error, following),
        )

    def _loaded_for(self, error: ChatError) -> float:
        """Return for how long (seconds) the model has been loading, 0 if it is not."""
        now = self._env.clock.monotonic()
        if error.kind == LOADING:
            if self._loading_since is None:
                self._loading_since = now
            return now - self._loading_since
        if self._loading_since is not None:
            self._began += now - self._loading_since
            self._loading_since = None
        return 0.0

    def _name(self, wanted: Chosen) -> str:
        return whose_turn(wanted.name, wanted.config.fallback, self._tried)
