"""Words and signs of a chat's states, in one place, so that list, composer and banners agree."""

from __future__ import annotations

from datetime import datetime, tzinfo

from palaver.wire.chats import Chat, PendingReason, RetryInfo
from palaver_tui.state.chat import ChatView
from palaver_tui.state.live import LiveState, Now
from palaver_tui.state.questions import question
from palaver_tui.text.spans import Ink
from palaver_tui.text.visible import visible_line
from palaver_tui.timing import ANIMATION_S

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
STILL = "⠿"  # shown instead of the spinner if motion is off
DRAFT_SIGN = "✎"
# Live states with a spinner.
MOVING: frozenset[LiveState] = frozenset(
    {"compacting", "tools", "streaming", "starting", "interrupting"}
)
PENDING_WORDS: dict[PendingReason, str] = {
    "capacity": "waiting for a free place",
    "no_worker": "waiting: no daemon with a worker is running",
    "wrong_host": "waiting for the machine that has its files",
    "starting": "about to start",
}


def spinner(at: float, moving: bool = True) -> str:
    """Return the spinner's frame at a time in seconds; `STILL` unless `moving`."""
    return SPINNER[int(at / ANIMATION_S) % len(SPINNER)] if moving else STILL


def duration(seconds: float) -> str:
    """Return a duration rounded down to seconds as text: `7 s`, `2 min 5 s`, `1 h 3 min`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def remaining(until: datetime, now: datetime) -> str:
    """Return the time left until `until`, rounded up to seconds, at least `0 s`."""
    left = (until - now).total_seconds()
    return duration(left + 0.999) if left > 0 else "0 s"


def age(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Return how long ago a time was, as a short text: `now`, `5m`, `3h`, `2d`.

    After a week it is the date in `zone`. Minutes are counted as on a clock, so that the text
    changes exactly when the minute does.
    """
    minutes = int(now.timestamp() // 60) - int(at.timestamp() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes}m"
    if minutes < 24 * 60:
        return f"{minutes // 60}h"
    if minutes < 7 * 24 * 60:
        return f"{minutes // (24 * 60)}d"
    local = at.astimezone(zone)
    same_year = local.year == now.astimezone(zone).year
    return f"{local.day} {local:%b}" if same_year else f"{local:%b %Y}"


def _is_loading(retry: RetryInfo) -> bool:
    return retry.error.kind == "loading"


def list_status(chat: Chat, frame: str, *, seen: bool = False) -> tuple[str, str, Ink] | None:
    """Return sign, word and ink of a chat's status in the list; None if there is nothing new.

    `seen`: the user sees the chat, so that nothing that arrives in it is new.
    """
    match chat.status:
        case "requires_action":
            return "?", "asks", "warning"
        case "running" if chat.retry is not None:
            return "↻", "loads" if _is_loading(chat.retry) else "retry", "warning"
        case "running":
            return frame, "", "accent"
        case "interrupting":
            return "◼", "stops", "muted"
        case "pending":
            return "◌", "waits", "muted"
        case "error":
            return "✗", "failed", "error"
        case "paused":
            return "‖", "held", "warning"
        case _ if chat.unread and not seen:
            return "●", "new", "accent"
        case _:
            return None


def signs(
    chat: Chat, frame: str, *, draft: bool, seen: bool = False
) -> tuple[tuple[str, Ink], ...]:
    """Return the signs after a title in the list, with inks: queue length, draft, status."""
    found: list[tuple[str, Ink]] = []
    if chat.queue_length:
        found.append((f"+{chat.queue_length}", "muted"))
    if draft:
        found.append((DRAFT_SIGN, "warning"))
    status = list_status(chat, frame, seen=seen)
    if status is not None:
        sign, word, ink = status
        found.append((f"{sign} {word}" if word else sign, ink))
    return tuple(found)


def _wanted(view: ChatView) -> tuple[str, Ink]:
    """Return the text and ink of a chat that waits for a client: for the person, or a program."""
    if view.asked and question(view) is None:
        return f"… waiting for a program to run {visible_line(view.asked[0].tool)}", "muted"
    return "? waiting for your answer", "warning"


def activity(now: Now, view: ChatView, model: str, at: datetime, frame: str) -> tuple[str, Ink]:
    """Return the text and ink of a chat's live state for the composer's frame; empty if idle."""
    waited = duration((at - now.since).total_seconds()) if now.since else ""
    match now.state:
        case "starting" if now.slow:
            return f"{frame} {model} is slow today · {waited} without a word", "warning"
        case "starting":
            return f"{frame} waiting for {model} · {waited}", "accent"
        case "streaming":
            return f"{frame} {model} is answering · {waited}", "accent"
        case "tools":
            return f"{frame} running tools · {waited}", "accent"
        case "compacting":
            return f"{frame} compacting the conversation · {waited}", "accent"
        case "interrupting":
            return f"{frame} stopping", "warning"
        case "pending":
            words = PENDING_WORDS.get(view.pending or "starting", "waiting")
            return f"◌ {words} · {waited}" if waited else f"◌ {words}", "muted"
        case "retrying" if view.retry is not None and _is_loading(view.retry):
            return f"↻ waiting until {model} is loaded", "warning"
        case "retrying":
            return "↻ waiting to try again", "warning"
        case "needs_answer":
            return _wanted(view)
        case "held":
            return "‖ the queue is held", "warning"
        case _:
            return "", "muted"
