"""One model call with its attempts: stream, commit, or wait and retry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from functools import partial

import structlog

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.messages import ToolCall
from palaverd.failures import GiveUp, ProviderFailure, Signals, classify, wording
from palaverd.failures.fallback import Tried
from palaverd.generation.answer import Answer, remark_on
from palaverd.generation.attachments import read_files
from palaverd.generation.attempts import Attempts
from palaverd.generation.cancellation import Cause
from palaverd.generation.catalog import Chosen, no_model
from palaverd.generation.environment import Assignment, Environment
from palaverd.generation.prompt import began_on, build_request
from palaverd.store.attempts import load_tried
from palaverd.store.history import NewMessage
from palaverd.store.locked import LockedChat
from palaverd.store.prompt import History, load_history
from palaverd.store.transitions.turn import (
    commit_response,
    finish_error,
    finish_turn,
    record_attempt,
    record_retry,
)
from palaverd.stream.episode import Episode

log = structlog.get_logger("palaverd.generation")


class EmptyAnswer(ProviderFailure):
    """The provider ended the answer normally, without any content."""


async def call_model(env: Environment, job: Assignment, history: History) -> None:
    """Call the model until an answer is committed or the turn ends in an error.

    Raises:
        FenceLost: the chat changed meanwhile; nothing was written.
        DatabaseError: nothing was written; retry.
        asyncio.CancelledError: the task was cancelled.
    """
    attempts = Attempts(env, await _tried(env, job, history))
    episode: Episode | None = None
    try:
        if history.row.retry is not None:
            # A previous task announced this wait; it still applies.
            left = (history.row.retry.retrying_at - env.clock.now()).total_seconds()
            history = await _wait_out(env, job, history.row.retry_version, max(0.0, left))
        while True:
            # Chosen again for each attempt: the user may change the model during a wait.
            wanted = choose_model(env, history)
            if wanted is None:
                await _end_in_error(env, job, no_model(env.catalog.path))
                return
            chosen = attempts.whose_turn(wanted)
            attempt = history.row.generation_attempt + 1
            # The episode exists before clients can see the attempt.
            key = f"{history.row.history_version}.{attempt}"
            episode = env.episodes.begin(job.chat_id, key, chosen.name)
            try:
                kept = partial(attempts.keeps_unmarked, wanted, attempt)
                await _attempt(env, job, history, chosen, episode, kept)
                return
            except ProviderFailure as failure:
                error, empty = failure.error, isinstance(failure, EmptyAnswer)
            verdict = attempts.failed(wanted, chosen, error, attempt, empty=empty)
            env.metrics.failures.add(chosen.config.provider, error.kind)
            _log_failure(job, chosen, error, attempt, verdict)
            if isinstance(verdict, GiveUp):
                await _end_in_error(env, job, verdict.error)
                return
            history = await _wait(env, job, verdict)
    finally:
        # A stop needs the episode until it is committed.
        if episode is not None and job.cancellation.cause is not Cause.INTERRUPTED:
            env.episodes.end(job.chat_id, episode)


def choose_model(env: Environment, history: History) -> Chosen | None:
    """Return the model chosen with the message, else the chat's, else the default."""
    asked = next((m for m in reversed(history.messages) if m.role == "user"), None)
    return env.catalog.choose(asked.model if asked else None, history.row.model)


async def _end_in_error(env: Environment, job: Assignment, error: ChatError) -> None:
    await env.door.apply(job.chat_id, partial(finish_error, error=error), fence=job.fence)


async def _tried(env: Environment, job: Assignment, history: History) -> list[Tried]:
    """Return the attempts of other tasks on this history."""
    row = history.row
    if not row.generation_attempt:
        return []
    return await env.database.read(lambda c: load_tried(c, job.chat_id, row.history_version))


def _log_failure(
    job: Assignment, asked: Chosen, error: ChatError, attempt: int, verdict: RetryInfo | GiveUp
) -> None:
    log.info(
        "attempt failed",
        chat=job.chat_id,
        attempt=attempt,
        model=asked.name,
        kind=error.kind,
        status=error.status_code,
        delay_ms=verdict.delay_ms if isinstance(verdict, RetryInfo) else None,
    )


async def _attempt(
    env: Environment,
    job: Assignment,
    history: History,
    chosen: Chosen,
    episode: Episode,
    keeps_unmarked: Callable[[], bool],
) -> None:
    await env.door.apply(
        job.chat_id, lambda chat: record_attempt(chat, chosen.name), fence=job.fence
    )
    env.episodes.counts(job.chat_id)
    env.metrics.attempts.add(chosen.config.provider)
    started = env.clock.monotonic()
    silent = True
    answer = Answer(episode, env.clock, env.door.new_id)
    around = await env.surroundings.of(history.row, began_on(history))
    files = await read_files(env.database, env.files, history, chosen)
    request = build_request(history, chosen, env.toolbox.offered(history.row), around, files)

    def shut_down() -> bool:
        # Live output ends with this process; a later stop shows what is saved then.
        return job.cancellation.cause is Cause.SHUTDOWN

    async with (
        env.saver.saving(job.chat_id, job.fence, episode, shut_down),
        aclosing(chosen.provider.stream(request)) as events,
    ):
        async for event in events:
            answer.take(event)
            env.episodes.wake(job.chat_id)
            if silent and episode.end:
                silent = False
                env.metrics.first_token.add(env.clock.monotonic() - started, chosen.config.provider)
    completed = answer.completed
    if (
        completed is not None
        and completed.finish == "unknown"
        and completed.word is None
        and answer.parts()[0]
        and not keeps_unmarked()
    ):
        raise ProviderFailure(_judged(chosen, stream_ended=True))
    await _commit(env, job, history, chosen, answer, episode, started)


def _judged(chosen: Chosen, *, stream_ended: bool = False, empty: bool = False) -> ChatError:
    """Return the error for an answer that ended without an exception."""
    return classify(
        Signals(
            provider=chosen.config.provider,
            model=chosen.name,
            stream_ended=stream_ended,
            empty=empty,
        )
    )


async def _commit(
    env: Environment,
    job: Assignment,
    history: History,
    chosen: Chosen,
    answer: Answer,
    episode: Episode,
    started: float,
) -> None:
    completed = answer.completed
    parts, private = answer.parts()
    if completed is None or not parts:
        raise EmptyAnswer(_judged(chosen, stream_ended=completed is None, empty=True))
    message = NewMessage(
        role="assistant",
        parts=parts,
        model=chosen.name,
        finish=completed.finish,
        usage=completed.usage,
        private=private,
        context_limit=chosen.config.context_limit,
        runtime_ms=int((env.clock.monotonic() - started) * 1000),
        episode=episode.key,
    )
    # Shown once, not with every answer of the same model.
    notice = None if chosen.name == _last_answerer(history) else chosen.notice
    remark = remark_on(completed, wording.display(chosen.config.provider))
    await env.door.apply(
        job.chat_id, lambda chat: _commit_step(chat, message, notice, remark), fence=job.fence
    )


def _last_answerer(history: History) -> str | None:
    return next((m.model for m in reversed(history.messages) if m.role == "assistant"), None)


def _commit_step(
    chat: LockedChat, message: NewMessage, notice: str | None, remark: str | None
) -> None:
    """Commit the answer; without tool calls, end the turn in the same transaction."""
    commit_response(chat, message, notice, remark)
    if not any(isinstance(part, ToolCall) for part in message.parts):
        finish_turn(chat)


async def _wait(env: Environment, job: Assignment, retry: RetryInfo) -> History:
    """Wait as long as announced, or until the user skips the wait."""
    applied = await env.door.apply(job.chat_id, partial(record_retry, retry=retry), fence=job.fence)
    return await _wait_out(env, job, applied.row.retry_version, retry.delay_ms / 1000)


async def _wait_out(
    env: Environment, job: Assignment, retry_version: int, seconds: float
) -> History:
    """Wait, then return the history reloaded."""
    await job.nudge.wait(retry_version, seconds, env.clock)
    return await env.database.read(lambda c: load_history(c, job.chat_id))
