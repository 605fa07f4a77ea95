"""Log data of a provider that is ignored: each kind once, with the beginning of its bytes."""

from __future__ import annotations

import structlog

from palaverd.failures.redact import redact

# Characters to log; a log is not for answers. Secrets are masked in a longer text, so that no half
# of one remains at the end.
_MOST = 400
_MOST_SEARCHED = 4096
# Kinds are few, except for types of events that a server invents.
_MOST_KINDS = 100

log = structlog.get_logger("palaverd.providers")


class IgnoredData:
    """Logs one provider's ignored data. `secrets` are masked."""

    def __init__(self, provider: str = "", secrets: tuple[str, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._told: set[str] = set()

    def note(self, why: str, data: bytes) -> None:
        """Log `data`, unless data was ignored for the same reason before."""
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
