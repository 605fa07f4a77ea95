"""Changes of a stream that keep its meaning, each drawn from a given `Random`."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from providers.calling import Kind
from providers.raw import Event

# Fields that a server may add to any object.
EXTRA: tuple[Any, ...] = (None, 0, -1, 2.5, "", "x", [], {}, [None], {"a": {"b": [1]}}, True, False)
# Fields that mean nothing if they are null.
NULLS: dict[Kind, tuple[str, ...]] = {
    "anthropic": ("error", "stop_sequence", "container", "context_management"),
    "openai": ("error", "obfuscation", "logprobs", "annotations", "phase"),
    "openai-compatible": ("error", "usage", "system_fingerprint", "x_groq", "timings", "detail"),
}
PINGS = (
    b": keep-alive\n\n",
    b":\n\n",
    b":\n",
    b"data: : keepalive\n\n",
    b"data: ping\n\n",
    b"data: []\n\n",
    b"data: {}\n\n",
    b"data:\n\n",
    b"data\n\n",
    b"\n",
    b"id: 7\nretry: 100\n\n",
    b"event: ping\ndata: {}\n\n",
    b'data: {"type":"ping"}\n\n',
    b"data: null\n\n",
)
TYPES = (
    "text/event-stream",
    "text/event-stream; charset=utf-8",
    "application/json",
    "text/plain",
    "application/octet-stream",
    "text/html",
    "",
)


def changed(kind: Kind, events: list[Any], random: Random) -> bytes:
    """Return a stream with the same meaning as `events`."""
    events = json.loads(json.dumps([one for one in events if isinstance(one, dict)]))
    for change in (renumbered, with_nulls, with_more, with_less, shuffled):
        if random.random() < 0.6:
            events = change(kind, events, random)
    body = b"".join(framed(kind, event, random) for event in events)
    if kind == "openai-compatible" and random.random() < 0.7:
        body += random.choice((b"data: [DONE]\n\n", b"data:[DONE]\n", b"data: [DONE]"))
    elif random.random() < 0.2:
        body += b"data: [DONE]\n\n"
    elif random.random() < 0.2:
        body = body.removesuffix(b"\n\n")
    newline = random.choice((b"\n", b"\r\n", b"\r"))
    return random.choice((b"", b"\xef\xbb\xbf", b"\n", b": hi\n\n")) + body.replace(b"\n", newline)


def chunked(body: bytes, random: Random) -> list[bytes]:
    """Split a body at random places."""
    if random.random() < 0.2:
        return [body[i : i + 1] for i in range(len(body))]
    places = sorted(random.randrange(len(body) + 1) for _ in range(random.randrange(12)))
    return [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]


def framed(kind: Kind, event: Event, random: Random) -> bytes:
    """Encode an event in one of the many ways to do it, perhaps with pings before it."""
    text = json.dumps(
        event,
        ensure_ascii=random.random() < 0.5,
        indent=random.choice((None, None, None, 1)),
        separators=random.choice((None, (",", ":"))),
    )
    field = random.choice(("data: ", "data:", "data:  "))
    lines = [field + line for line in text.split("\n")]
    if kind != "openai-compatible" and random.random() < 0.8:
        lines.insert(random.choice((0, len(lines))), f"event: {event['type']}")
    if random.random() < 0.2:
        lines.insert(random.randrange(len(lines) + 1), random.choice((": a comment", "id: 4", "x")))
    pings = b"".join(random.choices(PINGS, k=random.choice((0, 0, 0, 1, 2))))
    return pings + "\n".join(lines).encode() + b"\n\n"


def objects(value: Any) -> list[dict[str, Any]]:
    """Return all objects in a value, except those with users' data."""
    found: list[dict[str, Any]] = []
    if isinstance(value, dict):
        found.append(value)
        for name, one in value.items():
            if name != "input":
                found += objects(one)
    elif isinstance(value, list):
        for one in value:
            found += objects(one)
    return found


def with_more(kind: Kind, events: list[Event], random: Random) -> list[Event]:
    """Add fields, and events, of a later version of the protocol."""
    for one in objects(events):
        if random.random() < 0.3:
            one[f"new_{random.randrange(99)}"] = random.choice(EXTRA)
    if kind != "openai-compatible":
        for _ in range(random.randrange(3)):
            name = random.choice(("brand.new", "response.brand_new", "content_block_novelty"))
            more = {"type": name, "index": 0, "delta": {"type": "novelty"}}
            events.insert(random.randrange(len(events)), more)
    return events


def with_nulls(kind: Kind, events: list[Event], random: Random) -> list[Event]:
    """Add nulls for missing fields, at the top and in unnamed objects."""
    for event in events:
        for name in NULLS[kind]:
            if random.random() < 0.3:
                event.setdefault(name, None)
        for choice in event.get("choices") or ():
            for name in ("content", "reasoning_content", "tool_calls", "refusal", "role"):
                if random.random() < 0.3:
                    choice["delta"].setdefault(name, None)
            for name in ("logprobs", "message", "usage", "error", "stop_reason"):
                if random.random() < 0.2:
                    choice.setdefault(name, None)
        if event.get("choices") == [] and random.random() < 0.5:
            event["choices"] = random.choice((None, [None], [{}], {}))
    return events


def with_less(kind: Kind, events: list[Event], random: Random) -> list[Event]:
    """Remove, or mistype, what the answer does not depend on."""
    for event in events:
        for name in ("id", "object", "created", "item_id", "service_tier"):
            if name in event and random.random() < 0.3:
                event[name] = random.choice((None, 7, [], {}))
        if kind == "openai" and random.random() < 0.2:
            event.pop("logprobs", None)
    if kind == "openai":
        drop = {
            "response.created",
            "response.content_part.added",
            random.choice(("response.output_text.done", "response.content_part.done", "")),
        }
        events = [one for one in events if one["type"] not in drop or random.random() < 0.5]
    if kind == "anthropic" and random.random() < 0.3:
        events = [one for one in events if one["type"] != "message_stop"]
    return events


def shuffled(kind: Kind, events: list[Event], random: Random) -> list[Event]:
    """Shuffle the fields of every object."""
    for one in objects(events):
        fields = list(one.items())
        random.shuffle(fields)
        one.clear()
        one.update(fields)
    return events


def renumbered(kind: Kind, events: list[Event], random: Random) -> list[Event]:
    """Change the numbers, as a gateway does that ignores them."""
    name = {"anthropic": "index", "openai": "output_index", "openai-compatible": "index"}[kind]
    number: Callable[[int], Any] = random.choice(
        (str, lambda n: n + 3, lambda _: 0, lambda _: None, lambda _: ..., lambda n: n)
    )
    count: Callable[[int], Any] = random.choice(
        (str, lambda n: 100 - n, lambda _: 0, lambda _: -1, lambda _: None, lambda n: n or 100)
    )
    for place, event in enumerate(events):
        places = event.get("choices") or () if kind == "openai-compatible" else (event,)
        for one in places:
            if name in one:
                new = number(one[name])
                one[name] = new
                if new is ...:
                    del one[name]
        if "sequence_number" in event:
            event["sequence_number"] = count(place)
    return events
