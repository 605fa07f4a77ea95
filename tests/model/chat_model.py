"""A chat as a few Python lists: the model for the store, written independently of it.

It does not use the table of transitions. A method returns False when the chat must refuse, and
then has changed nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BUSY = ("running", "interrupting", "requires_action")
QUEUE_MOST = 20


@dataclass
class ChatModel:
    """History and queue as texts; `calls` are the open calls of the last response.

    `marks` has the turns that messages were sent to steer.
    """

    status: str = "running"
    archived: bool = False
    history: list[tuple[str, str]] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    held: bool = False
    calls: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    retrying: bool = False
    appointed: bool = False
    attempts: int = 0
    turns: int = 1
    steps: int = 0
    marks: dict[str, int] = field(default_factory=dict)

    # --- small steps ------------------------------------------------------------------------

    def _moved(self) -> None:
        self.attempts = 0
        self.retrying = False

    def _say(self, text: str) -> None:
        if self.calls:
            self.history.append(("tool", " ".join(self.calls)))
            self.calls = []
            self.wanted = []
        self.history.append(("user", text))
        self._begin_turn()
        self._moved()

    def _begin_turn(self) -> None:
        self.turns += 1
        self.steps = 0

    def _become(self, status: str) -> None:
        self.status = status
        if status != "error":
            self.appointed = False
        else:
            self.held = False
        if status != "running":
            self.retrying = False

    def _next(self) -> None:
        """Follow an ended turn: run the head of a queue that is not held, or become idle."""
        if self.queue and not self.held:
            self._become("running")
            self._say(self.queue.pop(0))
            self._empty_is_free()
        else:
            self._become("waiting")

    def _empty_is_free(self) -> None:
        if not self.queue:
            self.held = False

    # --- a user -----------------------------------------------------------------------------

    def send(self, text: str) -> bool:
        if self.archived:
            return False
        if self.status in BUSY:
            if len(self.queue) == QUEUE_MOST:
                return False
            self.queue.append(text)
        else:
            self._start(text)
        return True

    def _start(self, text: str) -> None:
        if self.status == "error" and self.queue:
            self.queue.append(text)
            text = self.queue.pop(0)
        self._become("running")
        self._say(text)

    def send_interrupt(self, text: str, position: int | None) -> bool:
        if self.archived:
            return False
        if self.status not in BUSY:
            self._start(text)
        elif self.status == "requires_action":
            self.held = False
            self._enqueue(text, position)
            head = self.queue.pop(0)
            self._become("running")
            self._say(head)
        else:
            if len(self.queue) == QUEUE_MOST:
                return False
            self.held = False
            self._enqueue(text, position)
            self._become("interrupting")
        return True

    def send_steer(self, text: str) -> bool:
        if self.archived:
            return False
        if self.status not in BUSY:
            self._start(text)
            return True
        if len(self.queue) == QUEUE_MOST:
            return False
        place = 0
        while place < len(self.queue) and self.steers(self.queue[place]):
            place += 1
        self.queue.insert(place, text)
        self.marks[text] = self.turns
        return True

    def steers(self, text: str) -> bool:
        return self.marks.get(text) == self.turns

    def _take_steers(self) -> None:
        for text in [one for one in self.queue if self.steers(one)]:
            self.queue.remove(text)
            self.history.append(("user", text))
        self._empty_is_free()

    def _enqueue(self, text: str, position: int | None) -> None:
        self.queue.insert(len(self.queue) if position is None else position, text)

    def interrupt(self, hold: bool) -> None:
        if self.archived or self.status == "waiting":
            return
        if self.status == "error":
            self.appointed = False
            return
        if hold and self.queue:
            self.held = True
        if self.status == "requires_action":
            self._cancel_calls()
            self._next()
        else:
            self._become("interrupting")

    def _cancel_calls(self) -> None:
        if self.calls:
            self.history.append(("tool", " ".join(self.calls)))
            self.calls = []
            self.wanted = []
            self._moved()

    def edit(self, index: int, text: str) -> bool:
        if self.archived or index >= len(self.history) or self.history[index][0] != "user":
            return False
        del self.history[index:]
        self.queue = []
        self.held = False
        self.calls = []
        self.wanted = []
        self._become("running")
        self._say(text)
        return True

    def hold(self) -> bool:
        if self.status not in BUSY or not self.queue or self.held:
            return False
        self.held = True
        return True

    def release(self) -> bool:
        if self.archived or not self.held:
            return False
        self.held = False
        if self.status == "waiting":
            self._next()
        return True

    def delete_queued(self, index: int) -> bool:
        if self.archived or index >= len(self.queue):
            return False
        del self.queue[index]
        self._empty_is_free()
        return True

    def reverse_queue(self) -> bool:
        if self.archived or not self.queue:
            return False
        self.queue.reverse()
        return True

    def promote(self, index: int) -> bool:
        if self.archived or index >= len(self.queue):
            return False
        text = self.queue.pop(index)
        if self.status in ("running", "interrupting"):
            self.queue.insert(0, text)
            self.held = False
            self._become("interrupting")
        else:
            self._become("running")
            self._say(text)
            self._empty_is_free()
        return True

    def resume(self, later: bool) -> bool:
        if self.archived or self.status != "error":
            return False
        if later:
            self.appointed = True
        else:
            self._become("running")
            self._begin_turn()
            self._moved()
        return True

    def skip(self) -> bool:
        if not self.retrying:
            return False
        self.retrying = False
        return True

    def clear(self) -> bool:
        if self.archived or self.status in BUSY or (self.status == "error" and self.queue):
            return False
        self._cancel_calls()
        self.history.append(("system", ""))
        self._become("waiting")
        self._moved()
        return True

    def archive(self) -> bool:
        if self.archived or self.status in BUSY:
            return False
        self.archived = True
        self.appointed = False
        return True

    def unarchive(self) -> bool:
        if not self.archived:
            return False
        self.archived = False
        return True

    def answer(self, call: str) -> bool:
        """Answer one call; an answer to one that was answered before changes nothing."""
        if call not in self.wanted:
            return True
        self.wanted.remove(call)
        if not self.wanted:
            self.history.append(("tool", " ".join(self.calls)))
            self.calls = []
            self._become("running")
            self._moved()
            self._take_steers()
        return True

    # --- the daemon -------------------------------------------------------------------------

    def attempt(self) -> bool:
        if self.status != "running":
            return False
        self.attempts += 1
        self.retrying = False
        return True

    def retry(self) -> bool:
        if self.status != "running":
            return False
        self.retrying = True
        return True

    def commit(self, text: str, calls: list[str]) -> bool:
        if self.status != "running":
            return False
        self.history.append(("assistant", text))
        self.calls = calls
        self.steps += 1
        self._moved()
        return True

    def commit_results(self) -> bool:
        if self.status != "running":
            return False
        self.history.append(("tool", " ".join(self.calls)))
        self.calls = []
        self._moved()
        self._take_steers()
        return True

    def finish_turn(self) -> bool:
        if self.status != "running":
            return False
        self._next()
        return True

    def require(self) -> bool:
        if self.status != "running" or not self.calls:
            return False
        self.wanted = list(self.calls)
        self._become("requires_action")
        return True

    def finish_interruption(self, partial: str | None) -> bool:
        if self.status != "interrupting":
            return False
        if partial is not None:
            self.history.append(("assistant", partial))
        self._cancel_calls()
        self._moved()
        self._next()
        return True

    def finish_error(self) -> bool:
        if self.status not in BUSY:
            return False
        self._cancel_calls()
        self.history.append(("system", "failed"))
        self._moved()
        self._become("error")
        return True
