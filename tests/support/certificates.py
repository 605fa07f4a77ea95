"""A private CA and certificates signed by it, in files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import trustme


@dataclass(frozen=True)
class Authority:
    """A CA whose certificate is in `folder`."""

    folder: Path

    @cached_property
    def _ca(self) -> trustme.CA:
        return trustme.CA()

    @cached_property
    def file(self) -> Path:
        """The CA's own certificate."""
        path = self.folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(path))
        return path

    def issue(
        self,
        *names: str,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        called: str = "server",
    ) -> tuple[Path, Path]:
        """Return the files of a certificate for `names` (with its chain) and of its key."""
        names = names or ("127.0.0.1", "localhost")
        issued = self._ca.issue_cert(*names, not_before=not_before, not_after=not_after)
        certificate, key = self.folder / f"{called}.pem", self.folder / f"{called}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.touch(0o600)
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key

    def context(self, *names: str, **lasting: Any) -> ssl.SSLContext:
        """Return an SSL context for a server with these names."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.issue(*names, **lasting))
        return context
