"""The composer's text for each chat: swapped when another chat is shown."""

from __future__ import annotations

import asyncio

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.context.editor import Editor
from palaver_tui.session.session import Session
from palaver_tui.state.edited_message import text_of
from palaver_tui.storage.drafts import NEW, Drafts
from palaver_tui.storage.local_store import joined
from palaver_tui.widgets.composer import Composer


class DraftSwitch:
    """Swaps the composer's text between chats, edits too. `stored` has the drafts of all chats."""

    def __init__(
        self, session: Session, composer: Composer, editor: Editor, stored: Drafts
    ) -> None:
        self._session = session
        self._composer = composer
        self._editor = editor
        self._shown: str | None = None  # the chat whose draft is in the composer
        self._parked: dict[str, tuple[QueuedMessage | Message, str]] = {}  # edits of other chats
        self._saving: dict[str, list[str]] = {}  # edits without a response, by chat
        self._moving: set[asyncio.Task[None]] = set()
        self.is_unseen = False  # the composer got the texts of a deleted chat after the last paint
        self.stored = stored

    def switch(self) -> None:
        """Put the draft of the current chat into the composer, if it is not there."""
        name, composer = self._session.current, self._composer
        if name == self._shown:
            return
        before, self._shown = self._shown, name
        if before is None:
            self.stored.open(name)
            return
        editing, edited = self._editor.message, composer.text
        self._editor.end()
        text = self.stored.get(name)
        if self._session.knows(before):
            if editing is not None:
                self._parked[before] = editing, edited
            self.stored.put(before, composer.text)
        else:
            # It was created and is the current chat now, or is deleted: its draft stays in view.
            is_deleted = not self.stored.is_new(before)
            self.stored.put(before, "")
            self.stored.end(before, name)
            self.stored.moved(before, name)
            text = joined(text, composer.text, _changed(editing, edited))
            self.stored.put(name, text)
            self.is_unseen = is_deleted and bool(text)
        if text != composer.text:
            composer.put(text)
        if (parked := self._parked.pop(name, None)) is not None:
            self._editor.open(*parked, focus=False)
        self._note_edits(before)
        self._note_edits(name)
        self.stored.open(name)

    def note(self) -> None:
        """Store the text of the composer: as the draft of this chat, or as an edit beside it."""
        if self._shown is not None:
            self.stored.put(self._shown, self._editor.draft)
            self._note_edits(self._shown)

    def _note_edits(self, name: str) -> None:
        """Store the edits of a chat: the one that is open or parked, and those being saved."""
        message, text = self._parked.get(name, (None, ""))
        if name == self._shown:
            message, text = self._editor.message, self._composer.text
        self.stored.put_edits(name, joined(_changed(message, text), *self._saving.get(name, [])))

    def begin_saving(self, name: str, text: str) -> None:
        """Note an edit that was sent: until there is a response, its text is nowhere else."""
        self._saving.setdefault(name, []).append(text)
        self._note_edits(name)

    def end_saving(self, name: str, text: str) -> None:
        """Note that an edit has arrived, or that its text is kept elsewhere."""
        self._saving[name].remove(text)
        self._note_edits(name)

    def show_stored(self) -> None:
        """Show the stored draft of this chat."""
        self._editor.put_draft(self.stored.get(self._session.current))

    def keep_for(self, name: str, text: str) -> None:
        """Append a text that could not be sent to the draft of its chat."""
        if name == self._shown:
            self._editor.add_to_draft(text)
            self.note()
        else:
            self.stored.put(name, joined(self.stored.get(name), text))

    def is_shown(self, name: str) -> bool:
        """Return whether the composer's text is of the chat `name`."""
        return name == self._shown

    def created(self, name: str, chat_id: str) -> None:
        """Move what was written to an unborn chat that was left to the chat that it has become."""
        if text := self.stored.end(name, chat_id):
            self.keep_for(chat_id, text)

    def not_created(self, name: str, unsent: list[str]) -> None:
        """Move what was written to an unborn chat that was left to the draft of a new chat."""
        if kept := joined(*unsent, self.stored.end(name, NEW)):
            self._keep_in_new(kept)

    def move_to_new(self, name: str, unsent: list[str]) -> bool:
        """Move the draft, edit and `unsent` messages of a deleted chat to the draft of a new chat.

        Text in the composer stays there. Returns whether anything was written to the chat.
        """
        parked = _changed(*self._parked.pop(name, (None, "")))
        shown = name == self._shown
        kept = joined("" if shown else self.stored.get(name), parked, *unsent)
        self.stored.put(name, "")
        self.stored.moved(name, NEW)
        self._note_edits(name)
        editor = self._editor
        edited = _changed(editor.message, self._composer.text)
        written = kept or (shown and joined(editor.draft, edited))
        if kept:
            self._keep_in_new(kept)
        moving = asyncio.create_task(self._move_left(name))
        self._moving.add(moving)
        moving.add_done_callback(self._moving.discard)
        return bool(written) or self.stored.is_left(name)

    async def _move_left(self, name: str) -> None:
        """Move what ended clients have left for a deleted chat to the draft of a new chat."""
        await self.stored.adopt(name)
        if name != self._shown and (text := self.stored.get(name)):
            self.stored.put(name, "")
            self.stored.moved(name, NEW)
            self._keep_in_new(text)

    def _keep_in_new(self, text: str) -> None:
        shown = self._shown
        self.keep_for(shown if shown and self.stored.is_new(shown) else NEW, text)

    def everything(self) -> list[str]:
        """Return all texts of all chats: the composer's, drafts, and edits of other chats."""
        parked = [text for _, text in self._parked.values()]
        saving = [text for texts in self._saving.values() for text in texts]
        return [self._composer.text, self._editor.draft, *parked, *saving, *self.stored.texts()]


def _changed(message: QueuedMessage | Message | None, text: str) -> str:
    """Return the text of an edit that was changed; empty if there is none, or no change."""
    return "" if message is None or text == text_of(message) else text
