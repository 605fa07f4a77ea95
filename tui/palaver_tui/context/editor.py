"""The editor: edits a message in the composer, which otherwise has the draft."""

from __future__ import annotations

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.state.chat import ChatView
from palaver_tui.state.dropped_messages import Counted, Dropped, dropped_by
from palaver_tui.storage.local_store import joined
from palaver_tui.widgets.composer import Composer


class Editor:
    """Puts a queued or an earlier message into the composer, and the draft back afterwards.

    `message` is the edited message, None while the composer has the draft. `counted` is the number
    of messages after an earlier one that were not here, if they were counted.
    """

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._draft = ""  # the draft while `message` is in the composer
        self.message: QueuedMessage | Message | None = None
        self.counted: Counted | None = None

    @property
    def draft(self) -> str:
        """The draft of the current chat, also while a message is edited."""
        return self._composer.text if self.message is None else self._draft

    def put_draft(self, text: str) -> None:
        """Replace the draft of the current chat; an edit stays in the composer."""
        if self.message is not None:
            self._draft = text
        elif text != self._composer.text:
            self._composer.put(text)

    def add_to_draft(self, text: str) -> None:
        """Append a text to the draft of the current chat, as a paragraph.

        The cursor stays: the user may be writing.
        """
        composer = self._composer
        if self.message is not None:
            self._draft = joined(self._draft, text)
            return
        is_written, cursor = bool(composer.text.strip()), composer.cursor_location
        composer.put(joined(composer.text, text))
        if is_written:
            composer.move_cursor(cursor)

    def open(self, message: QueuedMessage | Message, text: str, *, focus: bool = True) -> None:
        """Edit a message in the composer, beginning with `text`."""
        if self.message is None:
            self._draft = self._composer.text
        self.message, self.counted = message, None
        self._composer.put(text)
        if focus:
            self._composer.focus()

    def end(self) -> None:
        """End the edit: restore the draft, leave the message unchanged."""
        if self.message is not None:
            self.message = self.counted = None
            self._composer.put(self._draft)
            self._draft = ""

    def dropped(self, view: ChatView) -> Dropped | None:
        """Return what sending the edited message drops; None if no earlier message is edited."""
        if not isinstance(self.message, Message):
            return None
        return dropped_by(view, self.message.id, self.counted)
