"""All sentences about failures: what happened, in plain words, then what to do.

No status codes and no class names here: those are fields, and are shown beside the sentence. A
failure that will be retried says only what happened; what is being waited for is counted down
next to it. They help wherever they are read, in a shell, a log or a banner: so no keys of one
client either; `action` says which help a client may offer by a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from palaver.wire.errors import ChatError, FailureKind
from palaverd.failures import names
from palaverd.failures.redact import redact
from palaverd.failures.signals import Signals

# Configured names are lower case by habit; these have a spelling of their own.
_DISPLAY = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "openrouter": "OpenRouter",
    "ollama": "Ollama",
    "simulator": "The simulator",
}

_MAX_NAME = 60


def display(provider: str | None) -> str:
    """Return a provider's name as it begins a sentence."""
    if not provider:
        return "The provider"
    return _DISPLAY.get(provider.lower(), redact(provider)[:_MAX_NAME] or "The provider")


def _inside(provider: str | None) -> str:
    """Return a provider's name as it stands inside a sentence."""
    name = display(provider)
    return name[0].lower() + name[1:] if name.startswith("The ") else name


def _overloaded(s: Signals, _: frozenset[str]) -> str:
    return f"{display(s.provider)} is overloaded."


def _rate_limit(s: Signals, _: frozenset[str]) -> str:
    return f"{display(s.provider)} asks to slow down: its rate limit is reached."


def _timeout(s: Signals, classes: frozenset[str]) -> str:
    name = display(s.provider)
    if s.stream_ended:
        return f"{name} closed the connection before the answer was whole."
    if not names.UNKNOWN_HOST.isdisjoint(classes):
        return f"{name} cannot be found on the network."
    if not names.REFUSED.isdisjoint(classes):
        return f"{name} does not accept connections."
    if s.status is not None and s.status >= 300:
        return f"{name} did not answer in time."
    return f"The connection to {_inside(s.provider)} was lost."


def _startup(s: Signals, _: frozenset[str]) -> str:
    return f"{display(s.provider)} did not begin to answer{_within(s)}."


def _silence(s: Signals, _: frozenset[str]) -> str:
    if s.guard == "pings":
        return f"{display(s.provider)} kept the connection open but sent nothing more{_within(s)}."
    return f"{display(s.provider)} stopped answering: nothing came{_within(s)}."


def _server(s: Signals, _: frozenset[str]) -> str:
    if s.empty:
        return f"{display(s.provider)} gave an empty answer."
    if s.malformed is not None:
        return f"{display(s.provider)} sent something that could not be read."
    return f"{display(s.provider)} has a problem of its own."


def _auth(s: Signals, _: frozenset[str]) -> str:
    where = f"Check {s.key_hint}" if s.key_hint else "Check its key in config.toml"
    return f"{display(s.provider)} did not accept the API key. {where}, then try again."


def _missing_key(s: Signals, _: frozenset[str]) -> str:
    where = f"Set {s.key_hint}" if s.key_hint else "Set its key in config.toml"
    return f"There is no API key for {_inside(s.provider)}. {where}, then try again."


def _config(s: Signals, classes: frozenset[str]) -> str:
    name = display(s.provider)
    if s.provider_disabled:
        return f"{name} is switched off in the settings. Choose another model, or switch it on."
    if "SSLCertVerificationError" in classes:
        return f"The certificate of {_inside(s.provider)} could not be verified. Check base_url."
    if s.malformed == "content_type" or not names.ADDRESS.isdisjoint(classes):
        return f"What answers for {_inside(s.provider)} is not a model provider. Check base_url."
    if s.status is not None and 300 <= s.status < 400:
        return f"{name} answers at another address. Check base_url."
    what = f"the request for {_model(s)}" if s.model else "the request"
    return f"{name} refused {what}. Check the model's name and options, then try again."


def _context(s: Signals, _: frozenset[str]) -> str:
    whose = f"the context of {_model(s)}" if s.model else "the model's context"
    return (
        f"This conversation no longer fits into {whose}."
        " Begin a new one, or choose a model with more room."
    )


def _usage_limit(s: Signals, _: frozenset[str]) -> str:
    limit = s.spend_limit
    if limit is None:
        return (
            f"The account at {_inside(s.provider)} has no credit left. Top it up, then try again."
        )
    spent = f"${limit.spent_micros / 1e6:,.2f} of ${limit.limit_micros / 1e6:,.2f}"
    again = f" It starts anew on {limit.resets_at:%d %B}." if limit.resets_at else ""
    return f"The spend limit is reached: {spent} are used.{again}"


def _filter(s: Signals, _: frozenset[str]) -> str:
    return f"{display(s.provider)} declined to answer this. Say it in another way, or edit it."


def _generic(s: Signals, _: frozenset[str]) -> str:
    return f"The answer from {_inside(s.provider)} failed for an unknown reason. Try again."


SENTENCES: dict[FailureKind, Callable[[Signals, frozenset[str]], str]] = {
    "overloaded": _overloaded,
    "rate_limit": _rate_limit,
    "timeout": _timeout,
    "startup_timeout": _startup,
    "silence_timeout": _silence,
    "server_error": _server,
    "auth": _auth,
    "missing_key": _missing_key,
    "config": _config,
    "context_overflow": _context,
    "usage_limit": _usage_limit,
    "content_filter": _filter,
    "generic": _generic,
}


def sentence(kind: FailureKind, signals: Signals, classes: frozenset[str]) -> str:
    """Return what happened, and for kinds that are not retried what a person can do."""
    return SENTENCES[kind](signals, classes)


def given_up(error: ChatError, attempts: int) -> ChatError:
    """Return `error` as it ends a turn after so many attempts."""
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    more = f"Gave up after {tries}. Try again, or choose another model."
    return msgspec.structs.replace(error, message=f"{error.message} {more}", action="retry")


def passed_on(error: ChatError, model: str) -> ChatError:
    """Return `error` as it is shown while another model is about to be asked."""
    return msgspec.structs.replace(error, message=f"{error.message} Asking {model} instead.")


def come_back_later(error: ChatError, now: datetime) -> ChatError:
    """Return `error` as it ends a turn because the provider wants a long wait."""
    wait = timedelta(milliseconds=error.retry_after_ms or 0)
    then = now + wait
    when = f"{then:%H:%M} UTC" if then.date() == now.date() else f"{then:%d %B, %H:%M} UTC"
    return msgspec.structs.replace(
        error,
        kind="rate_limit",
        message=(
            f"{display(error.provider)} asks to come back in {_span(wait.total_seconds())},"
            f" at {when}. Try again then, or choose another model."
        ),
        action="schedule",
    )


def _model(signals: Signals) -> str:
    return redact(signals.model or "")[:_MAX_NAME] or "the model"


def _within(signals: Signals) -> str:
    return f" within {_span(signals.guard_seconds)}" if signals.guard_seconds else ""


def _span(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds:g} s"
