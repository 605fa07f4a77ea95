"""Actions on what is in the conversation: folds, links, messages."""

from __future__ import annotations

import asyncio

from palaver.wire.messages import Message, Picture
from palaver_tui.actions.base import Base
from palaver_tui.platform.pictures import UnreadablePictureError, store
from palaver_tui.transcript.sections import is_shown
from palaver_tui.transcript.targets import Thing, picture_of
from palaver_tui.widgets.transcript.widget import Transcript


class Pointing(Base):
    """Goes from thing to thing, and uses them."""

    @property
    def _text(self) -> Transcript:
        return self.main.query_one(Transcript)

    def do_transcript_next_thing(self) -> None:
        """Point at the next thing below."""
        self._text.pointing.step(1)

    def do_transcript_previous_thing(self) -> None:
        """Point at the next thing above."""
        self._text.pointing.step(-1)

    def do_transcript_use(self) -> None:
        """Fold, unfold or open what is pointed at; if that is nothing, point at the last thing."""
        pointing = self._text.pointing
        if pointing.thing is None or not pointing.in_view():
            pointing.point(None)
            pointing.step(-1)
            return
        self._use(pointing.thing)

    def on_transcript_used(self, message: Transcript.Used) -> None:
        """Use what was clicked."""
        self._use(message.thing)

    def _use(self, thing: Thing) -> None:
        text = self._text
        match thing.kind:
            case "fold" if thing.fold is not None:
                line = text.pointing.line
                row = None if line is None else line - text.scroll_offset.y
                text.set_folds(text.folds.turn(thing.fold), row)
            case "link":
                self.open_url(thing.target)
            case "picture" if (picture := picture_of(text.column, thing)) is not None:
                self.run_worker(self._open_picture(picture))
            case "code":
                self.copy_thing(thing)
        self._changed()

    async def _open_picture(self, picture: Picture) -> None:
        """Hand a picture to the system's viewer, as a file: it takes nothing else."""
        try:
            path = await asyncio.to_thread(store, picture, self.pictures)
        except UnreadablePictureError as error:
            self.say(f"The picture cannot be opened: {error.reason}.", "warning")
        except OSError as error:
            self.say(f"Could not save the picture to open it: {error}.", "warning")
        else:
            self.open_url(path.as_uri())

    def copy_thing(self, thing: Thing) -> None:
        """Copy what a thing is or holds."""
        raise NotImplementedError

    def do_transcript_fold_all(self) -> None:
        """Unfold everything, or fold it again."""
        text = self._text
        some = bool(text.folds.open_kinds)
        text.set_folds(text.folds.all(not some), 0)
        self._changed()

    def do_transcript_next_message(self) -> None:
        """Go to the next message."""
        self._go(1, own=False)

    def do_transcript_previous_message(self) -> None:
        """Go to the message before."""
        self._go(-1, own=False)

    def do_transcript_next_own(self) -> None:
        """Go to the next message that a person wrote."""
        self._go(1, own=True)

    def do_transcript_previous_own(self) -> None:
        """Go to the message before that a person wrote."""
        self._go(-1, own=True)

    def message_here(self) -> Message | None:
        """Return the message that is pointed at, or else the first one in view."""
        text = self._text
        thing = text.pointing.thing
        in_view = text.ids_in_view()
        if thing is not None and isinstance(thing.key, int) and text.pointing.in_view():
            here: int | None = thing.key
        else:
            here = in_view[0] if in_view else None
        return next((one for one in self.session.view.messages if one.id == here), None)

    def _go(self, step: int, *, own: bool) -> None:
        text = self._text
        text.focus()
        here = self.message_here()
        shown = [one for one in self.session.view.messages if is_shown(one)]
        if here is None or not shown:
            return
        at = next((index for index, one in enumerate(shown) if one.id >= here.id), 0)
        pointed = text.pointing.thing is not None and text.pointing.in_view()
        if step < 0 and not pointed and not text.begins(here.id):
            at += 1  # its own beginning is above the view
        if step < 0 and own and not pointed and text.following:
            at = len(shown)  # from the end: the last one comes first
        targets = [one for one in shown if not own or one.role == "user"]
        targets = [one for one in targets if not text.folded_away(one.id)]
        beyond = [one for one in targets if (shown.index(one) - at) * step > 0]
        if beyond:
            text.pointing.message(beyond[0] if step > 0 else beyond[-1])
        elif step < 0:
            text.to_start()
        else:
            text.pointing.point(None)
            text.follow()
        self._changed()
