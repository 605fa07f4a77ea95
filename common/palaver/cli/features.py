"""Features that a daemon of an older version lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from palaver.client import Client


async def require(client: Client, feature: str, lacks: str) -> None:
    """Check that the daemon has a feature of `palaver.wire.protocol`.

    Raises:
        PalaverError: it is too old. `lacks` says what it cannot do, as in "has no pins".
    """
    from palaver.client import PalaverError

    info = await client.meet()
    if feature not in info.capabilities:
        raise PalaverError(
            f"palaverd {info.version} at {client.endpoint} {lacks}. Upgrade it where it runs, and"
            " restart it there with:  palaver daemon restart"
        )
