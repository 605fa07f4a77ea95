"""The message that is edited in the composer, in place of the draft."""

from __future__ import annotations

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.state.chat import ChatView
from palaver_tui.state.dropped_messages import Counted, Dropped, dropped_by
from palaver_tui.state.reduce import user_text
from palaver_tui.storage.drafts import joined
from palaver_tui.widgets.composer import Composer


class Editor:
    """Puts a queued or an earlier message into the composer, and the draft back afterwards.

    `message` is the one that is edited, None while the composer holds the draft. `counted` is what
    the daemon has counted of the messages that go when an earlier one is sent.
    """

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._draft = ""  # what gave way to `message`
        self.message: QueuedMessage | Message | None = None
        self.counted: Counted | None = None

    @property
    def draft(self) -> str:
        """What is being written to the chat that is shown, be it in the composer or not."""
        return self._composer.text if self.message is None else self._draft

    def add_to_draft(self, text: str) -> None:
        """Put a text behind what is being written to the chat that is shown."""
        if self.message is not None:
            self._draft = joined(self._draft, text)
        else:
            self._composer.put(joined(self._composer.text, text))

    def open(self, message: QueuedMessage | Message, text: str, *, focus: bool = True) -> None:
        """Put a message into the composer, with `text` as its words."""
        if self.message is None:
            self._draft = self._composer.text
        self.message = message
        self._composer.put(text)
        if focus:
            self._composer.focus()

    def end(self) -> None:
        """End the edit: restore the draft, leave the message unchanged."""
        if self.message is not None:
            self.message = None
            self._composer.put(self._draft)
            self._draft = ""

    def dropped(self, view: ChatView) -> Dropped | None:
        """Return what goes when the message in the composer is sent; None if it is none."""
        if not isinstance(self.message, Message):
            return None
        return dropped_by(view, self.message.id, self.counted)


def text_of(message: QueuedMessage | Message) -> str:
    """Return the words of a message, as they were written."""
    return message.content if isinstance(message, QueuedMessage) else user_text(message)
