"""Actions on targets in the conversation: folds, links, pictures, code, messages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from palaver.wire.messages import Picture
from palaver_tui.actions.clipboard import copy_target
from palaver_tui.actions.current_message import message_here
from palaver_tui.context.context import Context, Run
from palaver_tui.platform.pictures import UnreadablePictureError, store
from palaver_tui.transcript.message_stacks import is_shown
from palaver_tui.transcript.targets import Target, picture_of


def use(context: Context) -> None:
    """Fold, unfold, open or copy the target in view; if there is none, point at the last one."""
    cursor = context.screen.transcript.target_cursor
    if cursor.target is None or not cursor.in_view():
        cursor.point(None)
        cursor.step(-1)
        return
    use_target(context, cursor.target)


def use_target(context: Context, target: Target) -> None:
    """Fold, unfold, open or copy a target."""
    transcript = context.screen.transcript
    match target.kind:
        case "fold" if target.fold is not None:
            line = transcript.target_cursor.line
            row = None if line is None else line - transcript.scroll_offset.y
            transcript.viewport.set_folds(transcript.viewport.folds.turn(target.fold), row)
        case "link":
            context.app.open_url(target.address)
        case "picture" if (picture := picture_of(transcript.viewport.column, target)) is not None:
            context.app.run_worker(_open_picture(context, picture))
        case "code":
            copy_target(context, target)
    context.changed()


async def _open_picture(context: Context, picture: Picture) -> None:
    """Open a picture in the system's viewer, which takes a file."""
    say = context.notices.say
    try:
        path = await asyncio.to_thread(store, picture, context.pictures)
    except UnreadablePictureError as error:
        say(f"The picture cannot be opened: {error.reason}.", "warning")
    except OSError as error:
        say(f"Could not save the picture to open it: {error}.", "warning")
    else:
        context.app.open_url(path.as_uri())


def fold_all(context: Context) -> None:
    """Unfold everything, or fold everything if some kinds are unfolded."""
    transcript = context.screen.transcript
    some = bool(transcript.viewport.folds.open_kinds)
    transcript.viewport.set_folds(transcript.viewport.folds.all(not some), 0)
    context.changed()


def go_to_message(context: Context, step: int, *, own: bool) -> None:
    """Go to the next message, or with `step` -1 the previous; with `own`, only the user's."""
    transcript = context.screen.transcript
    transcript.focus()
    here = message_here(context)
    shown = [one for one in context.session.view.messages if is_shown(one)]
    if here is None or not shown:
        return
    at = next((index for index, one in enumerate(shown) if one.id >= here.id), 0)
    pointed = transcript.target_cursor.in_view()
    if step < 0 and not pointed and not transcript.viewport.begins(here.id):
        at += 1  # the beginning of this message is above the view: go there first
    if step < 0 and own and not pointed and transcript.viewport.following:
        at = len(shown)  # from the end, the previous one is the last
    targets = [one for one in shown if not own or one.role == "user"]
    targets = [one for one in targets if not transcript.viewport.folded_away(one.id)]
    beyond = [one for one in targets if (shown.index(one) - at) * step > 0]
    if beyond:
        transcript.target_cursor.message(beyond[0] if step > 0 else beyond[-1])
    elif step < 0:
        transcript.viewport.to_start()
    else:
        transcript.target_cursor.point(None)
        transcript.viewport.follow()
    context.changed()


FUNCTIONS: Final[Mapping[str, Run]] = {
    "transcript.next_thing": lambda context: context.screen.transcript.target_cursor.step(1),
    "transcript.previous_thing": lambda context: context.screen.transcript.target_cursor.step(-1),
    "transcript.use": use,
    "transcript.fold_all": fold_all,
    "transcript.next_message": lambda context: go_to_message(context, 1, own=False),
    "transcript.previous_message": lambda context: go_to_message(context, -1, own=False),
    "transcript.next_own": lambda context: go_to_message(context, 1, own=True),
    "transcript.previous_own": lambda context: go_to_message(context, -1, own=True),
}
