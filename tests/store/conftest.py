"""What the suites of the store run on: every engine there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from support.engines import ENGINES, Engine


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """One engine after the other."""
    return ENGINES[request.param]


@pytest.fixture(scope="module")
def store(engine: Engine) -> Iterator[Connection]:
    """A store of the engine; a test leaves nothing in it."""
    with engine.store() as connection:
        yield connection
