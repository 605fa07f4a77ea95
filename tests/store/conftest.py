"""Fixtures for the tests of the store: every supported engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from support.engines import ENGINES, Engine


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return ENGINES[request.param]


@pytest.fixture(scope="module")
def store(engine: Engine) -> Iterator[Connection]:
    """A store on the engine; its content is removed after the test."""
    with engine.store() as connection:
        yield connection
