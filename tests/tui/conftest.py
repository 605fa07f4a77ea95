"""What hundreds of clients in one process can share without seeing each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import CSSLocation, Stylesheet


@pytest.fixture(autouse=True, scope="session")
def styles_parsed_once() -> Iterator[None]:
    """Parse a style sheet once for the same variables: every client would begin by doing so.

    Rules that were parsed are only read.
    """
    parse = Stylesheet._parse_rules
    known: dict[tuple[object, ...], list[RuleSet]] = {}

    def parsed(
        self: Stylesheet, css: str, read_from: CSSLocation, *how: object, **more: object
    ) -> list[RuleSet]:
        key = (css, read_from, how, *more.items(), *self._variables.items())
        if key not in known:
            known[key] = parse(self, css, read_from, *how, **more)
        return known[key]

    Stylesheet._parse_rules = parsed
    yield
    Stylesheet._parse_rules = parse
