"""Facts about MiniMax's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Note,
    Says,
    Server,
    Source,
)

_OVERFLOW = Source("github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "a2dbd625")
_MINIMAX_ERRORS = Source("https://platform.minimax.io/docs/api-reference/errorcode")

MINIMAX = Server(
    name="MiniMax",
    slug="minimax",
    place="vendor",
    base_url="https://api.minimax.io/v1",
    key="MINIMAX_API_KEY",
    marks=(
        Mark("host", "api.minimax.io", _MINIMAX_ERRORS),
        Mark("host", "api.minimaxi.com", _MINIMAX_ERRORS),
    ),
    frame="base_resp",
    says=(
        Says(
            topic="context",
            pattern=r"context[ _-](?:length|window|size)[^.]{0,40}"
            r"(?:exceed|too (?:long|large|small))",
            said="invalid params, context window exceeds limit",
            source=_OVERFLOW,
            status=200,
            code=2013,
        ),
        Says(
            topic="quota",
            said="insufficient balance",
            source=_MINIMAX_ERRORS,
            status=200,
            code=1008,
        ),
        Says(topic="rate", said="rate limit", source=_MINIMAX_ERRORS, status=200, code=1002),
        Says(
            topic="filter",
            pattern=r"\bnew_sensitive\b",
            said="input new_sensitive",
            source=_MINIMAX_ERRORS,
            status=200,
            code=1026,
        ),
    ),
    notes=(Note("Its own errors come with status 200.", _MINIMAX_ERRORS),),
)
