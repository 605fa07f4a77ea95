"""Whose certificates are believed: the system's, or those that the environment names."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path

FILE, FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
# How OpenSSL finds a certificate in a folder: by the hash of its subject.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


class CertificatesError(Exception):
    """What the environment names cannot be used. The text is a sentence with the variable."""


def believed(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return a context that believes what the environment names; None where it names nothing.

    Both variables count, as for OpenSSL; a folder may be several, parted by colons. They count for
    every host, this machine included: a server at home is where one has an authority of one's own.

    Raises:
        CertificatesError: one of them names nothing that holds certificates.
    """
    file, folders = environment.get(FILE), environment.get(FOLDER)
    if not file and not folders:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if file:
        _load_file(context, Path(file))
    for folder in folders.split(os.pathsep) if folders else ():
        if folder:
            _load_folder(context, Path(folder))
    return context


def problem(environment: Mapping[str, str]) -> str | None:
    """Say what is wrong with the certificates of the environment, None if nothing is."""
    try:
        believed(environment)
    except CertificatesError as error:
        return str(error)
    return None


def _load_file(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except FileNotFoundError:
        raise CertificatesError(f"{FILE} names {path}, which is not there.") from None
    except ssl.SSLError:
        raise CertificatesError(f"{FILE} names {path}, which holds no certificate.") from None
    except OSError as error:
        raise CertificatesError(
            f"{FILE} names {path}, which cannot be read: {error.strerror}."
        ) from None


def _load_folder(context: ssl.SSLContext, path: Path) -> None:
    try:
        if not any(_HASHED.fullmatch(one.name) for one in path.iterdir()):
            raise CertificatesError(
                f"{FOLDER} names {path}, which has no certificate under the name that `openssl"
                " rehash` gives it."
            )
        context.load_verify_locations(capath=path)
    except FileNotFoundError:
        raise CertificatesError(f"{FOLDER} names {path}, which is not there.") from None
    except OSError as error:
        raise CertificatesError(
            f"{FOLDER} names {path}, which cannot be read: {error.strerror}."
        ) from None
