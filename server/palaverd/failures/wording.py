"""All error messages about provider failures: what happened, then what to do.

No status codes and no class names here: those are fields, and are shown beside the sentence. A
failure that will be retried says only what happened; what is being waited for is counted down
next to it. They help wherever they are read, in a shell, a log or a banner: so no keys of one
client either: which help it offers by a key of its own, a client decides by the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from palaver.servers.table import SERVERS
from palaver.wire.errors import ChatError, FailureKind
from palaverd.failures import names
from palaverd.failures.facts import Facts
from palaverd.failures.redact import redact
from palaverd.failures.signals import Signals

# The vendors' spelling of names, which are configured in lower case. The second name is the one
# that the first start gives to a server on this machine.
_DISPLAY = {
    name: server.name
    for server in SERVERS
    if server.marks
    for name in (server.slug, re.sub(r"[^a-z0-9]+", "-", server.name.lower()).strip("-"))
} | {"simulator": "The simulator"}

_MAX_NAME = 60
_MAX_URL = 200

NO_DESCRIPTOR = "The daemon has as many files and connections open as this machine allows."


def display(provider: str | None) -> str:
    """Return a provider's name for the beginning of a sentence."""
    if not provider:
        return "The provider"
    return _DISPLAY.get(provider.lower(), redact(provider)[:_MAX_NAME] or "The provider")


def _inside(provider: str | None) -> str:
    """Return a provider's name for the middle of a sentence."""
    name = display(provider)
    return name[0].lower() + name[1:] if name.startswith("The ") else name


def _overloaded(f: Facts) -> str:
    s = f.signals
    return f"{display(s.provider)} is overloaded."


def _rate_limit(f: Facts) -> str:
    s = f.signals
    return f"{display(s.provider)} takes no more requests from this account for the moment."


def _loading(f: Facts) -> str:
    s = f.signals
    what = f"the model {_model(s)}" if s.model else "its model"
    return f"{display(s.provider)} is loading {what}."


def _timeout(f: Facts) -> str:
    s = f.signals
    name = display(s.provider)
    if s.stream_ended:
        return f"{name} closed the connection before the answer was whole."
    if f.proxy_in_vain:
        return f"{_proxy(s)} could not reach {_inside(s.provider)}."
    if not names.UNKNOWN_HOST.isdisjoint(f.classes):
        if s.proxy is not None:
            return f"{_proxy(s)} cannot be found on the network. Check {_variable(s)}."
        return f"{name} cannot be found on the network. Is this machine online?"
    if not names.REFUSED.isdisjoint(f.classes):
        if s.proxy is not None:
            return f"{_proxy(s)} does not accept connections. Is it running? Check {_variable(s)}."
        return f"{name} does not accept connections. Is it running?"
    if f.status in (502, 503):
        return f"{name} is out of service at the moment."
    if f.status is not None:
        return f"{name} did not answer in time."
    return f"The connection to {_inside(s.provider)} was lost."


def _proxy(s: Signals) -> str:
    return f"The proxy {redact(s.proxy)[:_MAX_URL]}" if s.proxy else "A proxy on the way"


def _variable(s: Signals) -> str:
    """Return the variable that names a proxy, and how to apply a change of it."""
    return f"{s.proxy_from or 'HTTPS_PROXY'}, then run `palaver daemon restart`"


def _startup(f: Facts) -> str:
    s = f.signals
    return f"{display(s.provider)} did not begin to answer{_within(s)}."


def _silence(f: Facts) -> str:
    s = f.signals
    if s.guard == "pings":
        return (
            f"{display(s.provider)} kept the connection open, but nothing of its answer"
            f" came{_for(s)}."
        )
    return f"{display(s.provider)} stopped in the middle of its answer: nothing came{_for(s)}."


def _server(f: Facts) -> str:
    s = f.signals
    if s.empty:
        return f"{display(s.provider)} gave an empty answer."
    if f.says("pool"):
        name = display(s.provider)
        return f"{name} has no room left: its answers share one context, and it is full."
    if s.malformed is not None:
        return f"{display(s.provider)} sent something that could not be read."
    return f"{display(s.provider)} has a problem on its side."


def _key(s: Signals) -> tuple[str, str]:
    """Return where the key is set, and how to apply a change of it.

    A file is read again when it changes; a command runs when the configuration is read; the
    environment is the one the daemon was started with.
    """
    where = s.key_hint or "its key in config.toml"
    if where.startswith("the command "):
        return where, " run `palaver daemon reload`,"
    return where, "" if where.endswith("config.toml") else " run `palaver daemon restart`,"


def _auth(f: Facts) -> str:
    s = f.signals
    where, again = _key(s)
    if s.key_fault is not None:
        return (
            f"The API key for {_inside(s.provider)} cannot be used: {s.key_fault}."
            f" Correct {where},{again} and try again."
        )
    if f.status == 403:
        return (
            f"{display(s.provider)} does not allow this with the API key that it was given."
            f" Choose another model; or check {where},{again} and try again."
        )
    return f"{display(s.provider)} did not accept the API key. Check {where},{again} and try again."


def _missing_key(f: Facts) -> str:
    s = f.signals
    where, again = _key(s)
    return f"There is no API key for {_inside(s.provider)}. Set {where},{again} and try again."


def _config(f: Facts) -> str:
    s = f.signals
    name = display(s.provider)
    if s.provider_disabled:
        return f"{name} is switched off in the settings. Choose another model, or switch it on."
    if s.certificates is not None:
        return f"{s.certificates} Correct it, run `palaver daemon restart`, and try again."
    if f.proxy_refused:
        return _refusing_proxy(f)
    if "SSLCertVerificationError" in f.classes:
        return (
            f"The certificate of {_inside(s.provider)} could not be verified. Check its base_url"
            " in config.toml; or name the file of your own authority in SSL_CERT_FILE and run"
            " `palaver daemon restart`."
        )
    if f.is_elsewhere:
        return _elsewhere(f)
    if f.status is not None and 300 <= f.status < 400:
        return f"{name} answers at another address. Check its base_url in config.toml{_asked(s)}."
    if f.says("policy"):
        return (
            f"{name} has nobody for {_model(s)} whom the account's own settings allow."
            " Choose another model, or change the settings there."
        )
    if f.says("output"):
        return (
            f"{name} does not allow {_model(s)} answers of that many tokens."
            " Set max_output_tokens of this model lower in config.toml, and try again."
        )
    unknown = f.status == 404 or f.says("model") or not names.UNKNOWN_MODEL.isdisjoint(f.codes)
    if s.model and unknown:
        return (
            f"{name} does not know the model {_model(s)}."
            " Choose another one, or check its name in config.toml."
        )
    what = f"the request for {_model(s)}" if s.model else "the request"
    return (
        f"{name} refused {what}, and would again."
        " Choose another model, or check this one in config.toml."
    )


def _refusing_proxy(f: Facts) -> str:
    s = f.signals
    if "ProxyAddressError" in f.classes:
        return (
            f"{_proxy(s)} cannot be used: it must begin with http, https or socks5."
            f" Check {_variable(s)}."
        )
    if f.status == names.STATUS_PROXY or str(names.STATUS_PROXY) in f.words:
        return f"{_proxy(s)} wants a user and a password, or other ones. Check {_variable(s)}."
    return (
        f"{_proxy(s)} does not let requests to {_inside(s.provider)} pass."
        f" Check {_variable(s)}; NO_PROXY names hosts that need none."
    )


def _elsewhere(f: Facts) -> str:
    """Return the message for a base_url that may be wrong: another server, path or scheme."""
    s = f.signals
    if f.says("plain"):
        what = f"{display(s.provider)} is asked with https where it speaks http, or the other way"
        return f"{what} round. Check its base_url in config.toml{_asked(s)}."
    if s.malformed == "content_type" or not names.ADDRESS.isdisjoint(f.classes):
        return (
            f"What answers for {_inside(s.provider)} is not a model provider."
            f" Check its base_url in config.toml{_asked(s)}."
        )
    return (
        f"{display(s.provider)} has nothing at the address that was asked."
        f" Check its base_url in config.toml{_asked(s)}."
    )


# Patterns of wrong URLs, and what is wrong. Only the beginning is configured; each protocol
# appends its own path.
_DOUBTS = (
    (re.compile(r"/v1/v1/"), "it has /v1 once too often"),
    (
        re.compile(r"/(?:chat/completions|responses|messages|completions)/(?:v1/)?[a-z]"),
        "it ends with a path that is put behind it anyway",
    ),
    (re.compile(r"^[a-z]+://[^/]+/(?:chat/completions|responses)$"), "perhaps /v1 is missing"),
)


def _asked(s: Signals) -> str:
    if not s.url:
        return ""
    url = redact(s.url)[:_MAX_URL]
    doubt = next((f": {what}" for shape, what in _DOUBTS if shape.search(url)), "")
    return f"{doubt} ({url} was asked)"


def _context(f: Facts) -> str:
    s = f.signals
    whose = f"the context of {_model(s)}" if s.model else "the model's context"
    if "max_tokens" in f.words or "completion" in f.words:
        return (
            f"This conversation and the answer that it may have do not fit together into {whose}."
            " Begin a new one, set max_output_tokens lower in config.toml, or choose a model with"
            " more room."
        )
    return (
        f"This conversation no longer fits into {whose}."
        " Begin a new one, or choose a model with more room."
    )


def _usage_limit(f: Facts) -> str:
    s = f.signals
    limit = s.spend_limit
    if limit is None:
        return (
            f"The account at {_inside(s.provider)} has no credit left. Top it up, then try again."
        )
    spent = f"${limit.spent_micros / 1e6:,.2f} of ${limit.limit_micros / 1e6:,.2f}"
    again = f" It starts anew on {_day(limit.resets_at)}." if limit.resets_at else ""
    return f"The spend limit is reached: {spent} are used.{again}"


def _filter(f: Facts) -> str:
    s = f.signals
    return (
        f"{display(s.provider)} declined to answer this."
        " Edit your message to say it in another way, or choose another model."
    )


def _generic(f: Facts) -> str:
    s = f.signals
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


SENTENCES: dict[FailureKind, Callable[[Facts], str]] = {
    "overloaded": _overloaded,
    "loading": _loading,
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


def sentence(kind: FailureKind, facts: Facts) -> str:
    """Return what happened, and for kinds that are not retried what the user can do."""
    return SENTENCES[kind](facts)


def given_up(error: ChatError, attempts: int) -> ChatError:
    """Return `error` as it ends a turn after `attempts` attempts."""
    tries = "One attempt" if attempts == 1 else f"{attempts} attempts"
    more = f"{tries} failed; nothing is lost. Try again later, or choose another model."
    return msgspec.structs.replace(error, message=f"{error.message} {more}")


def never_loaded(error: ChatError, seconds: float) -> ChatError:
    """Return `error` as it ends a turn because a model was still loading after `seconds`."""
    more = f"It was not ready after {_span(seconds)}; nothing is lost."
    again = "Try again later, choose another model, or raise startup_seconds in config.toml."
    return msgspec.structs.replace(error, message=f"{error.message} {more} {again}")


def empty_again(error: ChatError) -> ChatError:
    """Return the error of an empty answer as it ends a turn: a retry would be empty too."""
    return msgspec.structs.replace(
        error,
        retryable=False,
        message=f"{display(error.provider)} gave an empty answer again."
        " Edit your message to say it in another way, or choose another model.",
    )


def passed_on(error: ChatError, model: str) -> ChatError:
    """Return `error` as it is shown while a fallback model is about to be asked."""
    return msgspec.structs.replace(error, message=f"{error.message} Asking {model} instead.")


def come_back_later(error: ChatError, now: datetime) -> ChatError:
    """Return `error` as it ends a turn because the provider asks for a long wait."""
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
        retry_at=then,
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
