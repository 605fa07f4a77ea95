"""Texts of answers as lists of tokens: prose, and those that are the most expensive to draw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, cycle, islice

WORDS = [
    "the",
    "relay",
    "keeps",
    "one",
    "timer",
    "per",
    "channel",
    "and",
    "releases",
    "it",
    "when",
    "the",
    "last",
    "subscriber",
    "has",
    "left",
    "so",
    "a",
    "second",
    "caller",
    "must",
    "never",
    "make",
    "its",
    "own",
    "but",
    "wait",
    "for",
    "the",
    "first",
    "which",
    "is",
    "what",
    "this",
    "test",
    "is",
    "about",
    "although",
    "it",
    "looks",
    "like",
    "a",
    "race",
    "it",
    "is",
    "a",
    "missing",
    "release",
    "on",
    "the",
    "slow",
    "path",
]


def prose(count: int) -> list[str]:
    """Return `count` tokens of paragraphs with some emphasis, code, lists and headings."""
    return list(islice(_prose(), count))


def _prose() -> Iterator[str]:
    words = cycle(WORDS)
    for number in cycle(range(1, 10)):
        yield from (f"## Part {number}", "\n\n")
        for _ in range(3):
            for place in range(60):
                word = next(words)
                word = (
                    f"**{word}**" if place % 17 == 5 else f"`{word}`" if place % 23 == 7 else word
                )
                yield f"{word} "
            yield "\n\n"
        for _ in range(4):
            yield from ("- ", *(f"{next(words)} " for _ in range(8)), "\n")
        yield "\n"


def paragraph(size: int) -> list[str]:
    """Return one paragraph of `size` characters without a line feed."""
    tokens: list[str] = []
    length = 0
    for number, word in enumerate(cycle(WORDS)):
        token = f"**{word}** " if number % 17 == 5 else f"{word} "
        length += len(token)
        if length > size:
            return tokens
        tokens.append(token)
    return tokens


def fence(lines: int) -> list[str]:
    """Return one code fence of `lines` lines."""
    body = (
        ("    value", f"_{n}", " = compute(", f"{n}, ", '"text"', ")  # note", "\n")
        for n in range(lines)
    )
    return ["```", "python", "\n", *chain.from_iterable(body)]


def within(tokens: list[str], first: str, rest: str) -> list[str]:
    """Return a text in an item or a quote: `first` before its first line, `rest` before others."""
    return [first, *(token.replace("\n", f"\n{rest}") for token in tokens)]


def data(size: int) -> list[str]:
    """Return a fence with one line of JSON of about `size` characters."""
    pairs = ((f'"key_{n}"', ": ", f"{n * n}", ", ") for n in range(size // 20))
    return ["```", "json", "\n", "{", *chain.from_iterable(pairs)]


def written(lines: int) -> list[str]:
    """Return the arguments of a call that writes a file of `lines` lines."""
    head = ['{"path": ', '"a.py", ', '"content": "']
    return head + [json.dumps(token)[1:-1] for token in fence(lines)[3:]]


def items(count: int) -> list[str]:
    """Return a list of `count` items."""
    words = cycle(WORDS)
    return [
        token
        for n in range(count)
        for token in ("- ", *(f"{next(words)} " for _ in range(12)), "\n")
    ]


def table(rows: int) -> list[str]:
    """Return a table of `rows` rows, whose cells get wider."""
    head = ["| n ", "| name ", "| what it does |\n", "|---|---|---|\n"]
    words = cycle(WORDS)
    return head + [
        token
        for n in range(rows)
        for token in (
            f"| {n} ",
            f"| name_{n * n} ",
            "| ",
            *(f"{next(words)} " for _ in range(4 + n % 9)),
            "|\n",
        )
    ]


SHAPES: dict[str, Callable[[], list[str]]] = {
    "800-line fence": lambda: fence(800),
    "200-item list": lambda: items(200),
    "150-row table": lambda: table(150),
    "800-line fence in an item": lambda: within(fence(800), "- ", "  "),
    "30 KB line in a fence": lambda: data(30_000),
}
