"""Facts about xAI's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Says,
    Sends,
    Server,
    Source,
    Words,
    reported,
)

_OVERFLOW = Source("github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "a2dbd625")
_USERS = reported("by users of it, as a sentence only")
_XAI_CREDIT = Source("https://github.com/continuedev/continue/issues/10373", "2026-02")

XAI = Server(
    name="xAI",
    slug="xai",
    place="vendor",
    base_url="https://api.x.ai/v1",
    key="XAI_API_KEY",
    marks=(Mark("host", "api.x.ai", Source("https://github.com/Wei-Shaw/sub2api/issues/4069")),),
    sends=Sends(
        source=reported("by users of it"),
        reasoning="reasoning_content",
        cached="prompt_tokens_details",
    ),
    frame="string",
    says=(
        Says(
            topic="context",
            pattern=r"maximum prompt length|prompt length is \d+ but",
            said="This model's maximum prompt length is 131072 but the request contains 537812 "
            "tokens.",
            source=_OVERFLOW,
            status=400,
        ),
        Says(
            topic="quota",
            said="Your team 16f2 has either used all available credits or reached its monthly "
            "spending limit. To continue making API requests, please purchase more credits or "
            "raise your spending limit.",
            source=_XAI_CREDIT,
            status=429,
        ),
        Says(
            topic="overloaded",
            said="The model is at capacity.",
            source=_USERS,
            status=503,
        ),
        Says(
            topic="filter",
            pattern=r"violat\w+[^.]{0,40}(?:guidelines|polic(?:y|ies)|terms of (?:use|service))",
            said="Content violates usage guidelines.",
            source=_USERS,
            status=403,
        ),
    ),
    words=(Words(source=_USERS, whole=("stop",), cut=("length",), calls=("tool_calls",)),),
)
