"""Why a request is refused for what it says; what the state forbids is `chatstate.errors`."""

from __future__ import annotations


class InvalidRequest(Exception):
    """A request that asks for what cannot be. Nothing was changed.

    The text is a sentence for a person, `code` the word for programs, `field` names the part of
    the request that is wrong.
    """

    code = "bad_request"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class EmptyMessage(InvalidRequest):
    """A message without a visible character."""

    code = "empty_message"

    def __init__(self) -> None:
        super().__init__("The message is empty.", "content")


class UnknownModel(InvalidRequest):
    """A model that is not configured; the sentence names the nearest one that is."""

    code = "unknown_model"


class NotAllowed(InvalidRequest):
    """Something that this owner may not ask for."""

    code = "scope"
