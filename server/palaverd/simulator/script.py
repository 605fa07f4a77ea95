"""Parse the directives of a message, which say how to answer it.

Directives are in the last user message: `[[name]]`, `[[name=value]]`, with parameters
`[[name key=value …]]`. Names that are not in the table are ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from palaver.directives import DIRECTIVE
from palaverd.simulator.dialects import DIALECTS, said_by
from palaverd.simulator.faults import AT_HEAD, FAULTS, Fault
from palaverd.simulator.positions import POSITIONS, Position
from palaverd.simulator.prompt import Use

# --- the result -------------------------------------------------------------------------------


class Injected(msgspec.Struct, frozen=True, kw_only=True):
    """A fault and where it strikes.

    `times`: how many requests with this prompt fail before one is answered; None for all.
    `lasts`: seconds from the simulator's start, after which it no longer strikes.
    `at`: the position inside a stream; `after`: words to send first, if that is `text`.
    `model`: the only model that it affects, None for all. `headers` are added to the response.
    """

    fault: Fault
    times: int | None
    lasts: float | None = None
    at: Position = "text"
    after: int = 12
    model: str | None = None
    headers: dict[str, str] = {}
    retry_date: float | None = None  # seconds from now


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """How to answer one message. `prompt` has no directives, `rate` is words per second.

    `text` is the answer's, None for one that is composed. The faults of `injected` strike one after
    the other, each as often as it says. `dialect` is the server to imitate, `session` the session
    to play.
    """

    prompt: str
    echo: bool = False
    length: int | None = None
    rate: float | None = None
    slow_first: float = 0.0
    reasoning: bool = False
    text: str | None = None
    calls: tuple[Use, ...] = ()
    injected: tuple[Injected, ...] = ()
    dialect: str | None = None
    session: str | None = None


class DirectiveError(ValueError):
    """A directive is invalid; the message says why."""


# --- the table --------------------------------------------------------------------------------


class Directive(msgspec.Struct, frozen=True):
    """A directive that is not a fault: its syntax, and its description."""

    usage: str
    does: str
    apply: Callable[[str, Mapping[str, str]], dict[str, object]]


def _number(name: str, value: str, least: float = 0.0) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not least <= number <= 1e7:
        raise DirectiveError(f"[[{name}]]: {value!r} is not a number from {least:g} on")
    return number


def _dialect(value: str, parameters: Mapping[str, str]) -> dict[str, object]:
    if value not in DIALECTS:
        raise DirectiveError(f"[[dialect]]: there is no {value!r}; there are {', '.join(DIALECTS)}")
    topic = parameters.get("says")
    if topic is not None and DIALECTS[value].saying(topic) is None:
        known = sorted({s.topic for s in DIALECTS[value].says if s.status is not None})
        raise DirectiveError(f"[[dialect={value}]] says nothing of {topic!r}; but of {known}")
    return {"dialect": value}


SHAPES: dict[str, Directive] = {
    "echo": Directive(
        "[[echo]] TEXT", "answers exactly the rest of the message", lambda v, p: {"echo": True}
    ),
    "length": Directive(
        "[[length=WORDS]]",
        "makes the answer about that long",
        lambda v, p: {"length": int(_number("length", v, 1))},
    ),
    "rate": Directive(
        "[[rate=N]]",
        "sends N words per second; 0 is as fast as it goes",
        lambda v, p: {"rate": _number("rate", v)},
    ),
    "slow-first": Directive(
        "[[slow-first=SECONDS]]",
        "waits before the first event",
        lambda v, p: {"slow_first": _number("slow-first", v)},
    ),
    "reasoning": Directive("[[reasoning]]", "thinks first", lambda v, p: {"reasoning": True}),
    "tool": Directive(
        "[[tool=NAME args={…}]]",
        "asks for a tool call at the end, several for several; calls=N: for N, in Chat Completions"
        " in turn",
        lambda v, p: {
            "calls": (Use(v or "tool", p.get("args", "{}")),)
            * int(_number("tool", p.get("calls", "1"), 1))
        },
    ),
    "session": Directive(
        "[[session=NAME]]",
        "plays the steps of a session that the simulator was started with",
        lambda v, p: {"session": v},
    ),
    "dialect": Directive(
        "[[dialect=SERVER]]",
        "answers and fails as that server does; says=TOPIC: first with what it says of that",
        _dialect,
    ),
}
# Parameters of every fault, by name.
_FAULT_PARAMETERS = frozenset(
    {"times", "lasts", "at", "after", "model", "retry-after", "retry-after-ms", "retry-date"}
)

# Topics of temporary failures.
_PASSING = frozenset({"loading", "overloaded", "pool", "rate", "server", "timeout"})

_PARAMETER = re.compile(r"([a-z-]+)=(\S+)")


# --- reading ----------------------------------------------------------------------------------


def parse(message: str) -> Script:
    """Parse a message's directives.

    Raises:
        DirectiveError: a known directive has an invalid value or parameter.
    """
    fields: dict[str, Any] = {}
    injected: list[Injected] = []

    def take(match: re.Match[str]) -> str:
        name, value = match[1], match[2] or ""
        parameters = dict(_PARAMETER.findall(match[3]))
        if name in FAULTS:
            injected.append(_injected(name, parameters))
        elif name in SHAPES:
            before = fields.get("calls", ())
            fields.update(SHAPES[name].apply(value, parameters))
            if name == "tool":
                fields["calls"] = (*before, *fields["calls"])
            if name == "dialect" and "says" in parameters:
                injected.append(_saying(value, parameters))
        else:
            return match[0]
        return ""

    prompt = DIRECTIVE.sub(take, message).strip()
    fields |= {"prompt": prompt, "injected": tuple(injected)}
    return msgspec.convert(fields, Script)


def _saying(slug: str, parameters: Mapping[str, str]) -> Injected:
    """Return a server's error about a topic as a fault: once, if the failure is temporary."""
    topic = parameters["says"]
    times = 1 if topic in _PASSING else None
    if "times" in parameters:
        times = int(_number("dialect", parameters["times"]))
    return Injected(fault=said_by(DIALECTS[slug], FAULTS["500"], topic), times=times)


def _injected(name: str, parameters: Mapping[str, str]) -> Injected:
    for key in parameters:
        if key not in _FAULT_PARAMETERS:
            known = ", ".join(sorted(_FAULT_PARAMETERS))
            raise DirectiveError(f"[[{name}]] has no parameter {key!r}; it has {known}")
    fault = FAULTS[name]
    at = parameters.get("at", "text")
    if at not in POSITIONS or (at == "head" and fault.manner not in AT_HEAD):
        known = ", ".join(p for p in POSITIONS if p != "head" or fault.manner in AT_HEAD)
        raise DirectiveError(f"[[{name}]] cannot strike at {at!r}; it can at {known}")
    times = fault.times
    if "times" in parameters:
        times = int(_number(name, parameters["times"]))
    retry_date = parameters.get("retry-date")
    return Injected(
        fault=fault,
        times=times,
        lasts=_number(name, parameters["lasts"]) if "lasts" in parameters else None,
        at=at,
        after=int(_number(name, parameters.get("after", "12"))),
        model=parameters.get("model"),
        headers={k: v for k, v in parameters.items() if k in ("retry-after", "retry-after-ms")},
        retry_date=_number(name, retry_date) if retry_date is not None else None,
    )


def manual() -> str:
    """Return the list of directives, for `--directives`."""
    lines = [f"{d.usage:<28}{d.does}" for d in SHAPES.values()]
    lines += [f"{f'[[{name}]]':<28}{fault.does}" for name, fault in FAULTS.items()]
    lines.append("")
    lines.append(
        "Faults take times=N, lasts=SECONDS, model=NAME, retry-after=…, retry-after-ms=…,"
        " retry-date=SECONDS;"
        f" those inside a stream at={'|'.join(POSITIONS)} and after=WORDS. Several strike one after"
        " the other."
    )
    lines.append(f"Servers: {', '.join(DIALECTS)}.")
    return "\n".join(lines)
