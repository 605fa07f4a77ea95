"""The TLS certificate that the daemon serves with, reloaded when its files change."""

from __future__ import annotations

import asyncio
import ssl
import stat
from asyncio import sslproto
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from palaver.clock import Clock
from palaverd.config.source import Look, look_at
from palaverd.config.types import ServerConfig
from palaverd.datadir import StartError

log = structlog.get_logger("palaverd.tls")

# Seconds between two checks of the files. They are read when two checks agree: a renewal writes one
# file after the other.
LOOK_S: Final = 1.0
# Bytes. asyncio allocates a zeroed buffer of 256 KiB for each connection before it receives a byte:
# a thousand connections would take 300 MB. A TLS record has 16 KiB; two of them are read at once.
BUFFER: Final = 32 * 1024
_Looks = tuple[Look, ...]


class CertificateError(StartError):
    """The certificate or its key cannot be used. The message is one sentence for the user."""


@dataclass(frozen=True)
class Files:
    """Paths of the certificate (with the chain to its CA) and its key, as PEM."""

    certificate: Path
    key: Path

    def read(self) -> ssl.SSLContext:
        """Return an SSL context from the files. Blocks.

        Raises:
            CertificateError: a file is missing or no certificate, or the key belongs to another
                one.
        """
        _has(self.certificate, "certificate", b"-----BEGIN CERTIFICATE-----")
        _has(self.key, "key", b"PRIVATE KEY-----")
        sslproto.SSLProtocol.max_size = BUFFER  # there is no public way to set it
        # TLS 1.2 and newer, with the ciphers of Python's own choice.
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Renegotiation serves no client and costs the server CPU.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, password=self._encrypted)
        except ssl.SSLError as error:
            raise CertificateError(self._explain(error)) from None
        except OSError as error:
            raise CertificateError(
                f"The certificate {self.certificate} or its key {self.key} cannot be read: "
                f"{error.strerror}."
            ) from None
        if stat.S_IMODE(self.key.stat().st_mode) & stat.S_IROTH:
            log.warning("key readable by others", key=str(self.key), mends=f"chmod o= {self.key}")
        return context

    def look(self) -> _Looks:
        """Return inode, size and time of both files, to be compared. Blocks."""
        return tuple(look_at(path) for path in (self.certificate, self.key))

    def _encrypted(self) -> str:
        raise CertificateError(
            f"The key {self.key} is encrypted, and nobody is there to type its password. "
            f"Write it without one: openssl pkey -in {self.key} -out NEW"
        )

    def _explain(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"The key {self.key} is not the one of the certificate {self.certificate}."
        why = (error.reason or "not readable").replace("_", " ").lower()
        return f"The certificate {self.certificate} with the key {self.key} cannot be used: {why}."


def certificate_files(server: ServerConfig) -> Files | None:
    """Return the files that the configuration names; None if it names none."""
    if server.tls_cert is None or server.tls_key is None:
        return None
    return Files(Path(server.tls_cert).expanduser(), Path(server.tls_key).expanduser())


class Certificate:
    """The certificate in force. `taken` is called with each new SSL context."""

    def __init__(self, files: Files, clock: Clock, taken: Callable[[ssl.SSLContext], None]) -> None:
        self._files = files
        self._clock = clock
        self._taken = taken
        self._read_at: _Looks = ()
        self._reading = asyncio.Lock()

    async def read(self) -> None:
        """Read the files and use them from the next connection on.

        Raises:
            CertificateError: they cannot be used; the previous certificate stays in force.
        """
        async with self._reading:
            self._read_at = await asyncio.to_thread(self._files.look)
            self._taken(await asyncio.to_thread(self._files.read))

    async def read_again(self) -> None:
        """Reload the files; if they cannot be used, log it and keep the previous certificate."""
        try:
            await self.read()
        except CertificateError as error:
            log.error("certificate refused", error=str(error), serving="the one before")
        else:
            log.info("certificate read", certificate=str(self._files.certificate))

    async def watch(self) -> None:
        """Reload the files whenever they change, until cancelled."""
        last = self._read_at
        while True:
            await self._clock.sleep(LOOK_S)
            before, last = last, await asyncio.to_thread(self._files.look)
            if last != self._read_at and last == before:
                await self.read_again()


def _has(path: Path, what: str, mark: bytes) -> None:
    try:
        found = mark in path.read_bytes()
    except FileNotFoundError:
        raise CertificateError(f"There is no {what} at {path}.") from None
    except OSError as error:
        raise CertificateError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    if not found:
        raise CertificateError(f"{path} is no {what}: it is to be PEM ({mark.decode()}).")
