"""Recorded responses of real servers, byte for byte, as small files: SERVER/PROTOCOL/CASE.http.

A file is the response as on the wire: status line, headers, body with its chunks. Whatever would
differ each time or identifies the machine is replaced by as many other characters.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).parent / "recordings"
# Instead of the protocol, for responses that identify the server.
PROBE = "probe"
# Chunks that are kept at the beginning and the end of a long response.
_MOST_EVENTS = 40

# Patterns of what is replaced, by digits or letters.
_CHANGING: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    (re.compile(rb"(?im)^date: ([^\r]*)"), b"Thu, 01 Jan 2026 00:00:00 GMT"),
    (re.compile(rb'"(?:created|created_at|completed_at)":\s?(\d+)'), b"1767225600"),
    (re.compile(rb'"(?:prompt|predicted)_(?:per_)?\w+":\s?(\d+\.\d+)'), b"1.000000000000000000000"),
    (re.compile(rb"127\.0\.0\.1:(\d+)"), b"80000"),
    (re.compile(rb"(?im)^x-litellm-[\w-]+(?:-ms|-id): ([^\r]*)"), b""),
    (re.compile(rb"(/[\w./-]+)/node_modules/"), b""),
    (re.compile(rb"(?im)^x-request-id: ([0-9a-f]{32})"), b""),
    (re.compile(rb"<__media_(\w+?)__>"), b""),
    (re.compile(rb'"pid":\s?(\d+)'), b"1000000"),
    (
        re.compile(
            rb"[\"'](?:chatcmpl-|msg_|resp_|rs_|fc_|call_|toolu_|req_)([A-Za-z0-9+/=_-]{8,})"
        ),
        b"",
    ),
    (re.compile(rb'"(?:id|call_id|item_id|tool_call_id)":\s?"([A-Za-z0-9]{32})"'), b""),
    (re.compile(rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"), b""),
)


def clean(answer: bytes) -> bytes:
    """Return a response without what changes each time; lengths stay the same."""
    for pattern, instead in _CHANGING:
        answer = pattern.sub(partial(_replaced, instead=instead), answer)
    return answer


def _replaced(found: re.Match[bytes], instead: bytes) -> bytes:
    old = found[1]
    if instead:
        new = (instead + b"0" * len(old))[: len(old)]
    else:
        new = re.sub(rb"[a-z]", b"a", re.sub(rb"[A-Z]", b"A", re.sub(rb"[0-9]", b"0", old)))
    begin, end = found.start(1) - found.start(), found.end(1) - found.start()
    return found[0][:begin] + new + found[0][end:]


def shortened(answer: bytes) -> bytes:
    """Return a chunked response without chunks from its middle, if there are many."""
    head, gap, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return answer
    chunks = _chunks(body)
    if len(chunks) > _MOST_EVENTS:
        half = _MOST_EVENTS // 2
        chunks = chunks[:half] + chunks[-half:]
    return head + gap + b"".join(chunks)


def _chunks(body: bytes) -> list[bytes]:
    """Return the chunks of a body; the last one may be incomplete."""
    chunks, at = [], 0
    while at < len(body):
        line = body.find(b"\r\n", at)
        size = body[at:line].partition(b";")[0] if line >= 0 else b""
        try:
            end = line + 2 + int(size, 16) + 2
        except ValueError:
            end = len(body)
        chunks.append(body[at:end])
        at = end
    return chunks


def path_of(server: str, kind: str, case: str) -> Path:
    """Return the path of a recording."""
    return FOLDER / server / kind / f"{case.replace(' ', '-')}.http"


def keep(server: str, kind: str, case: str, answer: bytes) -> None:
    """Write a recording, replacing an earlier one."""
    path = path_of(server, kind, case)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(shortened(clean(answer)))
