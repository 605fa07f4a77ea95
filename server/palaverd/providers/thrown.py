"""Tells the log what readers throw away: each kind of it once, with the beginning of its bytes."""

from __future__ import annotations

import structlog

from palaverd.failures.redact import redact

# Enough to see what it is; a log is not for answers. Secrets are looked for in more, so that no
# half of one is left at the end.
_MOST = 400
_MOST_SEARCHED = 4096
# Kinds are few and fixed, but for names of event types that a server makes up.
_MOST_KINDS = 100

log = structlog.get_logger("palaverd.providers")


class Thrown:
    """What one provider sent and nobody could use. `secrets` are hidden."""

    def __init__(self, provider: str = "", secrets: tuple[str, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._told: set[str] = set()

    def note(self, why: str, data: bytes) -> None:
        """Log `data`, unless something was thrown away for the same reason before."""
        if why in self._told or len(self._told) >= _MOST_KINDS:
            return
        self._told.add(why)
        text = data[:_MOST_SEARCHED].decode("utf-8", "backslashreplace")
        log.info(
            "thrown away",
            provider=self._provider,
            why=why,
            sent=redact(text, self._secrets)[:_MOST],
            size=len(data),
        )
