"""Errors of invalid requests; conflicts with the state are in `chatstate.errors`."""

from __future__ import annotations


class InvalidRequest(Exception):
    """The request is invalid. Nothing was changed.

    The message is a sentence for users, `code` the machine-readable reason, `field` the invalid
    part of the request.
    """

    code = "bad_request"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class EmptyMessage(InvalidRequest):
    """The message has no visible character."""

    code = "empty_message"

    def __init__(self) -> None:
        super().__init__("The message is empty.", "content")


class UnknownModel(InvalidRequest):
    """The model is not configured; the message suggests the nearest one."""

    code = "unknown_model"


class NotAllowed(InvalidRequest):
    """This owner may not request it."""

    code = "scope"
