"""Why a call gave no result: sentences that the model reads and can act on."""

from __future__ import annotations


class ToolError(Exception):
    """The call could not be done. Its message is the call's result, marked as an error."""


class Misused(ToolError):
    """The arguments do not fit; nothing was done."""
