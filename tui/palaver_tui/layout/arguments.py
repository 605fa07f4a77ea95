"""The arguments of a tool call, which arrive as a growing JSON text. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

# What a call is about, by the names that tools give it; the first one there is counts.
SUBJECTS = (
    "command",
    "path",
    "paths",
    "file_path",
    "pattern",
    "query",
    "url",
    "question",
    "prompt",
    "title",
    "name",
    "id",
)
# Growing arguments are read up to here; the subject stands in front, the rest is for unfolding.
READ_WHILE_GROWING = 4096  # characters


def parsed(text: str) -> dict[str, Any]:
    """Return the arguments as far as they have arrived; what is no JSON object has none."""
    for candidate in (text, completed(text)):
        try:
            value = msgspec.json.decode(candidate.encode("utf-8", "replace"))
        except msgspec.DecodeError:
            continue
        return value if isinstance(value, dict) else {}
    return {}


def completed(text: str) -> str:
    """Return the beginning of a JSON text as a whole one: what is open is closed.

    A key without its value, or half a word or number at the end, is left out.
    """
    reader = _Reader()
    for at, character in enumerate(text):
        reader.read(text, at, character)
    if reader.in_string and not reader.is_key:
        body = text[reader.string_at :]
        cut = body.rfind("\\")
        # Half an escape sequence is dropped with its backslash.
        if reader.escaped or (body[cut + 1 : cut + 2] == "u" and cut >= 0 and len(body) - cut < 6):
            body = body[:cut]
        return text[: reader.string_at] + body + '"' + "".join(reversed(reader.closers))
    return text[: reader.safe] + "".join(reversed(reader.safe_closers))


class _Reader:
    """Where a JSON text that is read from its beginning stands."""

    def __init__(self) -> None:
        self.closers: list[str] = []  # what closes everything that is open
        self.in_string = self.escaped = self.is_key = False
        self.string_at = 0
        self.safe = 0  # where the text can be cut: behind a value that is whole
        self.safe_closers: list[str] = []

    def read(self, text: str, at: int, character: str) -> None:
        if self.in_string:
            self._in_string(at, character)
        elif character == '"':
            self.in_string, self.string_at = True, at
            self.is_key = self.closers[-1:] == ["}"] and text[:at].rstrip()[-1:] in {"{", ","}
        elif character in "{[":
            self.closers.append("}" if character == "{" else "]")
            self._safe_behind(at)
        elif character in "}]" and self.closers:
            self.closers.pop()
            self._safe_behind(at)
        elif character == ",":
            self._safe_behind(at - 1)

    def _in_string(self, at: int, character: str) -> None:
        if self.escaped:
            self.escaped = False
        elif character == "\\":
            self.escaped = True
        elif character == '"':
            self.in_string = False
            if not self.is_key:
                self._safe_behind(at)

    def _safe_behind(self, at: int) -> None:
        self.safe, self.safe_closers = at + 1, list(self.closers)


def subject(arguments: dict[str, Any], text: str) -> str:
    """Return what a call is about, in one line's worth of words; `text` if nothing says."""
    for name in SUBJECTS:
        if (found := _words(arguments.get(name))) is not None:
            return found
    edits = arguments.get("edits")
    if isinstance(edits, list):
        paths = [_words(edit.get("path")) for edit in edits if isinstance(edit, dict)]
        named = list(dict.fromkeys(path for path in paths if path))
        if named:
            return ", ".join(named)
    for value in arguments.values():
        if (found := _words(value)) is not None:
            return found
    return "" if arguments or text.strip() in {"", "{", "{}"} else text


def _words(value: Any) -> str | None:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return None
