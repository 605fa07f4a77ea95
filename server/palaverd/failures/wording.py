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

NO_DESCRIPTOR = "The daemon has as many files and connections open as this machine allows."


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
    return f"{display(s.provider)} takes no more requests from this account for the moment."


def _timeout(s: Signals, classes: frozenset[str]) -> str:
    name = display(s.provider)
    if s.stream_ended:
        return f"{name} closed the connection before the answer was whole."
    if not names.UNKNOWN_HOST.isdisjoint(classes):
        return f"{name} cannot be found on the network. Is this machine online?"
    if not names.REFUSED.isdisjoint(classes):
        return f"{name} does not accept connections. Is it running?"
    if s.status in (502, 503):
        return f"{name} is out of service at the moment."
    if s.status is not None and s.status >= 300:
        return f"{name} did not answer in time."
    return f"The connection to {_inside(s.provider)} was lost."


def _startup(s: Signals, _: frozenset[str]) -> str:
    return f"{display(s.provider)} did not begin to answer{_within(s)}."


def _silence(s: Signals, _: frozenset[str]) -> str:
    if s.guard == "pings":
        return (
            f"{display(s.provider)} kept the connection open, but nothing of its answer"
            f" came{_for(s)}."
        )
    return f"{display(s.provider)} stopped in the middle of its answer: nothing came{_for(s)}."


def _server(s: Signals, _: frozenset[str]) -> str:
    if s.empty:
        return f"{display(s.provider)} gave an empty answer."
    if s.malformed is not None:
        return f"{display(s.provider)} sent something that could not be read."
    return f"{display(s.provider)} has a problem on its side."


def _key(s: Signals) -> tuple[str, str]:
    """Return where the key is set, and what makes the daemon see another one.

    A file is read again when it changes; an environment is the one that the daemon began with.
    """
    where = s.key_hint or "its key in config.toml"
    return where, "" if where.endswith("config.toml") else " run `palaver daemon restart`,"


def _auth(s: Signals, _: frozenset[str]) -> str:
    where, again = _key(s)
    if s.status == 403:
        return (
            f"{display(s.provider)} does not allow this with the API key that it was given."
            f" Choose another model; or check {where},{again} and try again."
        )
    return f"{display(s.provider)} did not accept the API key. Check {where},{again} and try again."


def _missing_key(s: Signals, _: frozenset[str]) -> str:
    where, again = _key(s)
    return f"There is no API key for {_inside(s.provider)}. Set {where},{again} and try again."


def _config(s: Signals, classes: frozenset[str]) -> str:
    name = display(s.provider)
    if s.provider_disabled:
        return f"{name} is switched off in the settings. Choose another model, or switch it on."
    if "SSLCertVerificationError" in classes:
        return (
            f"The certificate of {_inside(s.provider)} could not be verified."
            " Check its base_url in config.toml."
        )
    if s.malformed == "content_type" or not names.ADDRESS.isdisjoint(classes):
        return (
            f"What answers for {_inside(s.provider)} is not a model provider."
            " Check its base_url in config.toml."
        )
    if s.status is not None and 300 <= s.status < 400:
        return f"{name} answers at another address. Check its base_url in config.toml."
    if s.status == 404 and s.model:
        return (
            f"{name} does not know the model {_model(s)}."
            " Choose another one, or check its name in config.toml."
        )
    what = f"the request for {_model(s)}" if s.model else "the request"
    return (
        f"{name} refused {what}, and would again."
        " Choose another model, or check this one in config.toml."
    )


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
    again = f" It starts anew on {_day(limit.resets_at)}." if limit.resets_at else ""
    return f"The spend limit is reached: {spent} are used.{again}"


def _filter(s: Signals, _: frozenset[str]) -> str:
    return (
        f"{display(s.provider)} declined to answer this."
        " Edit your message to say it in another way, or choose another model."
    )


def _generic(s: Signals, _: frozenset[str]) -> str:
    if s.no_descriptor:
        return NO_DESCRIPTOR
    if s.malformed == "too_long":
        return (
            f"{display(s.provider)} sent far more than an answer can be, and was cut off."
            " Try again, or choose another model."
        )
    return (
        f"The answer from {_inside(s.provider)} failed for a reason that is not known."
        " Try again; if it stays, the daemon's log says more."
    )


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
    tries = "One attempt" if attempts == 1 else f"{attempts} attempts"
    more = f"{tries} failed; nothing is lost. Try again later, or choose another model."
    return msgspec.structs.replace(error, message=f"{error.message} {more}", action="retry")


def empty_again(error: ChatError) -> ChatError:
    """Return the failure of an empty answer as it ends a turn: another try would be empty too."""
    return msgspec.structs.replace(
        error,
        retryable=False,
        message=f"{display(error.provider)} gave an empty answer again."
        " Edit your message to say it in another way, or choose another model.",
    )


def passed_on(error: ChatError, model: str) -> ChatError:
    """Return `error` as it is shown while another model is about to be asked."""
    return msgspec.structs.replace(error, message=f"{error.message} Asking {model} instead.")


def come_back_later(error: ChatError, now: datetime) -> ChatError:
    """Return `error` as it ends a turn because the provider wants a long wait."""
    wait = timedelta(milliseconds=error.retry_after_ms or 0)
    then = now + wait
    when = f"{then:%H:%M} UTC" if then.date() == now.date() else f"{_day(then)}, {then:%H:%M} UTC"
    return msgspec.structs.replace(
        error,
        kind="rate_limit",
        message=(
            f"{display(error.provider)} asks to come back in {_span(wait.total_seconds())},"
            f" at {when}. Try again then, or choose another model."
        ),
        action="schedule",
    )


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B}"


def _model(signals: Signals) -> str:
    return redact(signals.model or "")[:_MAX_NAME] or "the model"


def _within(signals: Signals) -> str:
    return f" within {_span(signals.guard_seconds)}" if signals.guard_seconds else ""


def _for(signals: Signals) -> str:
    return f" for {_span(signals.guard_seconds)}" if signals.guard_seconds else ""


def _span(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds:g} s"
