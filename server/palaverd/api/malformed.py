"""Problems of requests that are none, or that aiohttp refuses before any route."""

from __future__ import annotations

import re
from typing import Final

from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from palaver.wire.errors import Problem
from palaverd.api.problems import problem, sentence

# In aiohttp's messages quoted bytes follow the text, mostly on lines of their own.
_QUOTED: Final = re.compile(r"""[:"']?\s*(?:\n|\bb['"])""")
_STATUS: Final = re.compile(r"^\d{3}, message:\s*")


def problem_of_malformed(error: HttpProcessingError) -> Problem:
    """Return the problem of a request whose head or framing cannot be read."""
    if isinstance(error, LineTooLong):
        line, most = error.args[0], error.args[1]
        if isinstance(line, bytearray):  # so aiohttp's parser keeps an address, but no header
            said = f"The address is longer than {most} bytes."
            return problem(414, "address_too_long", said)
        return problem(431, "headers_too_large", f"A header is longer than {most} bytes.")
    said = unquoted(error.message)
    if said.startswith("Too many headers"):
        return problem(431, "headers_too_large", sentence(said))
    return problem(400, "bad_request", f"This is no request: {sentence(said)}")


def unquoted(message: str) -> str:
    """Return aiohttp's message about unreadable bytes without these: they may be a token."""
    said = _QUOTED.split(_STATUS.sub("", message), maxsplit=1)[0]
    return "unreadable" if not said or "://" in said else said
