"""Fixtures by which the many clients of a test process share work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation


@pytest.fixture(autouse=True, scope="session")
def styles_parsed_once() -> Iterator[None]:
    """Cache parsed style sheets by their variables: every client parses the same at its start.

    Parsed rules are only read, so that clients can share them.
    """
    parse = Stylesheet._parse_rules
    known: dict[tuple[object, ...], list[RuleSet]] = {}

    def parsed(
        self: Stylesheet, css: str, read_from: CSSLocation, *how: Any, **more: Any
    ) -> list[RuleSet]:
        key = (css, read_from, how, *more.items(), *self._variables.items())
        if key not in known:
            known[key] = parse(self, css, read_from, *how, **more)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed)
        yield
