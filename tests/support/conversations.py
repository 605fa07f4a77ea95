"""Random conversations with every kind of part, as an export has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from palaver.wire.errors import ChatError, SpendLimit
from palaver.wire.exports import ExportedMessage
from palaver.wire.messages import (
    Boundary,
    Failure,
    Part,
    Picture,
    Reasoning,
    Source,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

# What would change the structure of a document that took it as it is.
HOSTILE = [
    "```\nan open fence",
    "~~~~ python\nanother",
    "   ```\n",
    "- a list\n  ```\n  an open fence in it\n",
    "> a quote\n> ```",
    "# A heading",
    "## You · 2030-01-01 00:00 UTC",
    "A title\n===",
    "A title\n---",
    "---\nfront: matter\n---",
    "<!-- a comment",
    "<script>alert(1)",
    "<pre>",
    "<![CDATA[",
    "</blockquote><h2>You</h2>",
    "[a]: https://example.com\n",
    "[[echo]] [[429]] ::: warning\n{% raw %} {{ x }}",
    "`` ` ``` ````",
    "text\rand\r\nmore\x0c\x1b[2J\x00\x85\u2028",
    "|a|b|\n|-|-|\n|1|2|",
    "\\",
    "    indented\n\tcode",
    "",
    "\n\n\n",
    "* * *\n+ +\n1. 2.",
    "$$ x < y $$ &lt; &#35; ~~x~~ **x",
]
# No half of a surrogate pair: JSON text is UTF-8.
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet="`~#>-*_=<[]:|\\ \t\n\ra1", max_size=40),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
COUNTS = st.integers(0, 2**63 - 1)
MOMENTS = st.integers(0, 315_537_897_599_999).map(
    lambda ms: datetime(1, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
OPTIONAL_TEXTS = st.none() | TEXTS
ERRORS = st.builds(
    ChatError,
    kind=st.sampled_from(["overloaded", "auth", "generic"]),
    message=TEXTS,
    detail=OPTIONAL_TEXTS,
    retryable=st.booleans(),
    retry_after_ms=st.none() | COUNTS,
    limit=st.none() | st.builds(SpendLimit, COUNTS, COUNTS, st.none() | MOMENTS),
    retry_at=st.none() | MOMENTS,
)
PICTURES = st.builds(
    Picture,
    media_type=st.sampled_from(["image/png", "image/webp"]),
    width=st.integers(1, 65_535),
    height=st.integers(1, 65_535),
    data=st.binary(max_size=20),
)


def _message(role: str, parts: st.SearchStrategy[Part]) -> st.SearchStrategy[ExportedMessage]:
    return st.builds(
        ExportedMessage,
        role=st.just(role),
        parts=st.lists(parts, min_size=1, max_size=3),
        created_at=MOMENTS,
        visibility=st.sampled_from(["both", "user"]),
        model=OPTIONAL_TEXTS,
        finish=st.none() | st.sampled_from(["stop", "length", "interrupted", "unknown"]),
        usage=st.none() | st.builds(Usage, COUNTS, st.none() | COUNTS),
        cost_micros=st.none() | COUNTS,
        runtime_ms=st.none() | COUNTS,
    )


_CALL = st.builds(ToolCall, id=st.just("c1"), name=TEXTS, arguments=TEXTS)
_RESULT = st.builds(
    ToolResult,
    call_id=st.just("c1"),
    text=TEXTS,
    is_error=st.booleans(),
    duration_ms=st.none() | st.integers(0, 10**9),
    picture=st.none() | PICTURES,
)
_CALL_AND_RESULT = st.tuples(_message("assistant", _CALL), _message("tool", _RESULT)).map(list)
_ALONE = st.one_of(
    _message("user", st.builds(Text, TEXTS)),
    _message(
        "assistant",
        st.one_of(
            st.builds(Text, TEXTS),
            st.builds(Reasoning, TEXTS, st.none() | st.integers(0, 10**9)),
            st.builds(Source, TEXTS, TEXTS),
        ),
    ),
    _message(
        "system",
        st.one_of(
            st.builds(Text, TEXTS),
            st.builds(Boundary, st.sampled_from(["compacted", "cleared"]), TEXTS),
            st.builds(Failure, ERRORS),
        ),
    ),
).map(lambda message: [message])
CONVERSATIONS = st.lists(_ALONE | _CALL_AND_RESULT, max_size=6).map(
    lambda turns: [message for turn in turns for message in turn]
)
