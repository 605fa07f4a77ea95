"""Labels as one line of text, as the user edits them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping


def label_text(labels: Mapping[str, str]) -> str:
    """Return labels as text: `team=docs urgent`, in quotes where a value has blanks."""
    pairs = sorted(labels.items())
    return " ".join(f"{name}={shlex.quote(value)}" if value else name for name, value in pairs)


def changed_labels(before: Mapping[str, str], text: str) -> dict[str, str | None]:
    """Return what differs between labels and an edited text; None is a label that was removed.

    Raises:
        ValueError: a quotation mark is not closed.
    """
    pairs = (word.partition("=") for word in shlex.split(text))
    after = {name: value for name, _, value in pairs}
    changes: dict[str, str | None] = {
        name: value for name, value in after.items() if before.get(name) != value
    }
    return changes | {name: None for name in before if name not in after}
