"""Check the labels that a request sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from palaver.wire.chats import LABEL_LIMIT, LABEL_NAME_LIMIT, LABEL_VALUE_LIMIT
from palaverd.usecases.errors import InvalidRequest

# No "=", which separates name and value on the command line and in filters, and no quotes.
_NAME: Final = re.compile(r"\w[\w./-]*")


def check_labels(labels: Mapping[str, str | None]) -> None:
    """Check the names and values of labels.

    Raises:
        InvalidRequest: one is invalid; it is named.
    """
    for name, value in labels.items():
        if not (len(name) <= LABEL_NAME_LIMIT and _NAME.fullmatch(name)):
            raise InvalidRequest(
                f"A label's name has 1 to {LABEL_NAME_LIMIT} letters, digits and _ . / -, and"
                f" begins with a letter, a digit or _. {name[:LABEL_NAME_LIMIT]!r} is none.",
                "labels",
            )
        if value is not None and len(value) > LABEL_VALUE_LIMIT:
            raise InvalidRequest(
                f"A label's value has at most {LABEL_VALUE_LIMIT} characters; that of {name} has"
                f" {len(value)}.",
                f"labels.{name}",
            )


def merged(labels: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return labels after changes, in which None removes a label.

    Raises:
        InvalidRequest: there would be too many.
    """
    both = {**labels, **changes}
    result = {name: value for name, value in both.items() if value is not None}
    if len(result) > max(LABEL_LIMIT, len(labels)):
        raise InvalidRequest(
            f"A chat has at most {LABEL_LIMIT} labels; these would be {len(result)}.", "labels"
        )
    return result
