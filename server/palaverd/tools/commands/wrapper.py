"""The program around one command: `python -I -S wrapper.py FOLDER`.

It runs the command that the file `order` says, with the output in the file `output`, and outlives
the daemon. `begun` appears in one step, before the command runs: whoever makes it first, this
program or a daemon that recovers, decides whether the command ever runs. SIGTERM ends the command
with all that it started; what the command leaves behind when it ends, ends too. Then `exit` is
written, and this program ends.

It uses the standard library alone, and little of it: each import is waited for by every command.
The daemon imports the names of the files and what reads /proc. Linux only.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` makes enumerations of it: 8 ms
import os
import sys
import time

ORDER = "order"  # umask (octal), directory, arguments, separated by zero bytes
BEGUN = "begun"  # "PID START GROUP": this process, its start, the process group of the command
OUTPUT = "output"
EXIT = "exit"  # "code N LEFT" or "signal N LEFT": how it ended, and how many it left behind

NAME = b"palaver-command"  # of the process, at most 15 bytes: `pkill python` must not end it
GRACE_S = 1.0  # between SIGTERM and SIGKILL
GIVE_UP_S = 5.0  # for killed processes to be gone; one may wait for a disk that does not answer
AGAIN_S = 0.02  # between two searches for processes that were started meanwhile
NOT_FOUND, NOT_RUNNABLE = 127, 126  # codes of shells

# prctl(2).
_SET_PDEATHSIG, _SET_NAME, _SET_CHILD_SUBREAPER = 1, 15, 36
_AWAITED = (signal.SIGCHLD, signal.SIGTERM)

# State letter (proc_pid_stat(5)), parent, and start in clock ticks since the machine's start.
Stat = tuple[str, int, int]


def stat_of(pid: int | str) -> Stat | None:
    """Return what /proc says about a process, None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib takes 10 ms
            said = file.read()
    except OSError:
        return None
    # The name, in parentheses, may have any characters.
    fields = said[said.rindex(b")") + 2 :].split()
    return fields[0].decode(), int(fields[1]), int(fields[19])


def descendants(root: int) -> list[int]:
    """Return the living descendants of a process, parents before children."""
    children: dict[int, list[int]] = {}
    dead = set()
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and (stat := stat_of(name)) is not None:
            children.setdefault(stat[1], []).append(int(name))
            if stat[0] in "ZX":
                dead.add(int(name))
    found = list(children.get(root, ()))
    for pid in found:  # it grows by the children of each
        found += children.get(pid, ())
    return [pid for pid in found if pid not in dead]


def send(pids: list[int], number: int) -> None:
    """Send a signal to processes, as far as they still exist."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):  # ended; or another user's, by setuid
            continue


def _prctl(option: int, value: int | bytes) -> None:
    try:
        import _ctypes  # what `ctypes` is made of; importing that takes 8 ms

        function = _ctypes.dlsym(_ctypes.dlopen(None, os.RTLD_NOW), "prctl")  # type: ignore[arg-type]
        _ctypes.call_function(function, (option, value, 0, 0, 0))
    except (ImportError, AttributeError):  # a later Python may name them differently
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _publish(folder: str, name: str, text: str, *, first: bool = False) -> bool:
    """Make a file with its whole content in one step; False if `first` and there is one already.

    One that is not `first` survives a power failure.
    """
    temporary = f"{folder}/{name}.{os.getpid()}"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.write(file, text.encode())
    if first:
        os.close(file)
        try:
            os.link(temporary, f"{folder}/{name}")
        except FileExistsError:
            return False
        finally:
            os.unlink(temporary)  # noqa: PTH108
        return True
    os.fsync(file)
    os.close(file)
    os.rename(temporary, f"{folder}/{name}")  # noqa: PTH104
    directory = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    os.fsync(directory)
    os.close(directory)
    return True


class _Tree:
    """The command and all that it started. `status` is the command's, as of waitpid(2)."""

    def __init__(self, command: int) -> None:
        self._command = command
        self.status: int | None = None

    def reap(self) -> bool:
        """Take the status of all that ended; return whether anything is left."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return True
                if pid == self._command:
                    self.status = status
        except ChildProcessError:
            return False

    def end(self) -> int:
        """End everything; return how many processes there were besides the command."""
        found = descendants(os.getpid())
        others = [pid for pid in found if pid != self._command]
        send(found, signal.SIGTERM)
        send(found, signal.SIGCONT)  # one that is stopped gets no other signal
        if not self._gone_within(GRACE_S):
            end = time.monotonic() + GIVE_UP_S
            while time.monotonic() < end:
                send(descendants(os.getpid()), signal.SIGKILL)
                if self._gone_within(AGAIN_S):
                    break
        return len(others)

    def _gone_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.reap():
            left = end - time.monotonic()
            if left <= 0:
                return False
            signal.sigtimedwait((signal.SIGCHLD,), left)
        return True


def _run(wrapper: int, ready: int, output: int, order: list[bytes]) -> None:
    """In the child: become the command, once that is decided."""
    os.setpgid(0, 0)
    # Whoever kills the wrapper ends the command too.
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != wrapper or not os.read(ready, 1):
        os._exit(0)
    umask, directory, *arguments = order
    os.dup2(output, 1)
    os.dup2(output, 2)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if number < 32:  # the C library has its own use for some of the others
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(int(umask, 8))
    try:
        os.chdir(directory)
        os.execvp(arguments[0], arguments)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        os.write(2, f"{os.fsdecode(error.filename or arguments[0])}: {error.strerror}\n".encode())
        os._exit(NOT_FOUND if missing else NOT_RUNNABLE)


def main(folder: str) -> None:
    """Run the command of a folder, unless it was decided that it does not run."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_AWAITED, signal.SIGINT, signal.SIGHUP))
    os.setsid()
    _prctl(_SET_NAME, NAME)
    _prctl(_SET_CHILD_SUBREAPER, 1)
    with open(f"{folder}/{ORDER}", "rb") as file:  # noqa: PTH123
        order = file.read().split(b"\0")
    # Appending: a command may open /dev/stdout again, and truncate nothing.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    output = os.open(f"{folder}/{OUTPUT}", flags, 0o600)
    ready, go = os.pipe()
    wrapper = os.getpid()
    command = os.fork()
    if command == 0:
        os.close(go)
        try:
            _run(wrapper, ready, output, order)
        finally:
            os._exit(NOT_RUNNABLE)
    os.close(ready)
    os.close(output)
    stat = stat_of(wrapper)
    assert stat is not None
    if not _publish(folder, BEGUN, f"{wrapper} {stat[2]} {command}", first=True):
        os.close(go)  # the child ends
        os.waitpid(command, 0)
        return
    os.write(go, b"1")
    os.close(go)
    tree = _Tree(command)
    left = 0
    while tree.reap() and tree.status is None:
        if signal.sigwait(_AWAITED) == signal.SIGTERM:
            break
    if tree.reap():
        left = tree.end()
    # Without a status it was killed, and does not end.
    status = signal.SIGKILL if tree.status is None else tree.status
    code = os.waitstatus_to_exitcode(status)
    how = f"code {code}" if code >= 0 else f"signal {-code}"
    _publish(folder, EXIT, f"{how} {left}")


if __name__ == "__main__":
    main(sys.argv[1])
