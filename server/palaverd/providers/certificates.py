"""Trusted certificates: the system's, or those that the environment names."""

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
    """The environment's certificates cannot be used. The message names the variable."""


def trusted_context(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return an SSL context that trusts the environment's certificates; None if it names none.

    Both variables count, as for OpenSSL; a folder may be several, separated by colons. They apply
    to every host, including this machine: private servers are where private CAs are used.

    Raises:
        CertificatesError: a variable names no certificates.
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
    """Return what is wrong with the environment's certificates, None if nothing is."""
    try:
        trusted_context(environment)
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
