"""Arguments of a tool call, parsed from a growing JSON text. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

# Names of arguments that tell what a call is about; the first that is present is used.
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
# Growing arguments of a folded call are parsed up to here: the subject comes first.
READ_WHILE_GROWING = 4096  # characters


class Arguments:
    """An incremental parser of growing arguments: no text is scanned twice."""

    def __init__(self) -> None:
        self._text = ""
        self._reader = _Reader()
        self._values: dict[str, Any] = {}

    def values(self, text: str) -> dict[str, Any]:
        """Return the arguments that have arrived; {} if `text` is no JSON object."""
        if text != self._text:
            if not text.startswith(self._text):
                self._reader = _Reader()
            self._text = text
            self._values = self._parsed(text)
        return self._values

    def _parsed(self, text: str) -> dict[str, Any]:
        self._reader.read(text)
        for candidate in (text, self._reader.completed(text)):
            try:
                value = msgspec.json.decode(candidate.encode("utf-8", "replace"))
            except msgspec.DecodeError:
                continue
            return value if isinstance(value, dict) else {}
        return {}


def parsed(text: str) -> dict[str, Any]:
    """Return the arguments in `text`, as `Arguments.values` does."""
    return Arguments().values(text)


def completed(text: str) -> str:
    """Return the beginning of a JSON text completed: everything open is closed.

    A key without its value, or half a word or number at the end, is left out.
    """
    reader = _Reader()
    reader.read(text)
    return reader.completed(text)


_IN_STRING = re.compile(r'[^"\\]*')
# Half an escape sequence at the end, or the first half of one for a character beyond 16 bits.
_HALF_ESCAPE = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2})?\\(?:u[0-9a-fA-F]{0,3})?\Z")
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


class _Reader:
    """The state of an incremental scan of a JSON text."""

    def __init__(self) -> None:
        self._closers: list[str] = []  # the brackets that close all open ones
        self._in_string = self._is_key = False
        self._string_at = 0
        self._escape_at = -1  # offset of the last escape sequence, or of a surrogate pair of them
        self._safe = 0  # offset after the last complete value, where the text can be cut
        self._safe_closers: list[str] = []
        self._before = ""  # the last character outside of strings that is no blank
        self._at = 0  # characters that were read

    def read(self, text: str) -> None:
        """Scan what is new in `text`, which begins with the text scanned before."""
        at = self._at
        while at < len(text):
            at = self._string(text, at) if self._in_string else self._outside(text, at)
        self._at = at

    def completed(self, text: str) -> str:
        """Return `text`, all of which was scanned, completed."""
        if self._in_string and not self._is_key:
            body = text[self._string_at :]
            if self._escape_at >= 0:
                end = body[self._escape_at - self._string_at :]
                if half := _HALF_ESCAPE.match(end) or _HALF_PAIR.match(end):
                    body = body[: len(body) - len(half[0])]
            return text[: self._string_at] + body + '"' + "".join(reversed(self._closers))
        return text[: self._safe] + "".join(reversed(self._safe_closers))

    def _outside(self, text: str, at: int) -> int:
        character = text[at]
        if character == '"':
            self._in_string, self._string_at, self._escape_at = True, at, -1
            self._is_key = self._closers[-1:] == ["}"] and self._before in {"{", ","}
        elif character in "{[":
            self._closers.append("}" if character == "{" else "]")
            self._safe_behind(at)
        elif character in "}]" and self._closers:
            self._closers.pop()
            self._safe_behind(at)
        elif character == ",":
            self._safe_behind(at - 1)
        if not character.isspace():
            self._before = character
        return at + 1

    def _string(self, text: str, at: int) -> int:
        found = _IN_STRING.match(text, at)
        assert found is not None
        at = found.end()
        if text[at : at + 1] == "\\":
            before = self._escape_at
            if before < 0 or not _HALF_PAIR.fullmatch(text, before, at):
                self._escape_at = at
            # An escaped character that has not arrived yet is skipped when it has.
            return at + 2
        if text[at : at + 1] == '"':
            self._in_string = False
            if not self._is_key:
                self._safe_behind(at)
            return at + 1
        return at

    def _safe_behind(self, at: int) -> None:
        self._safe, self._safe_closers = at + 1, list(self._closers)


def subject(arguments: dict[str, Any], text: str) -> str:
    """Return what a call is about, in one line; `text` if no argument tells."""
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
