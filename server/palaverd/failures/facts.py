"""What the rules and sentences need, derived once from `Signals`."""

from __future__ import annotations

import re

import msgspec

from palaver.servers.facts import Topic
from palaverd.failures import names, phrases, retry_after
from palaverd.failures.signals import Signals

# The longest wait that a limit per minute asks for; the longest that is waited for.
SHORT_WAIT_MS = 10 * 60 * 1000
_PATH = re.compile(r"\S*/\S*")

# Characters of text to search: an error message has a sentence or two, more is a web page.
_SEARCHED = 4096


class Facts(msgspec.Struct, frozen=True):
    """Signals with the values derived from them.

    `status` is an error status (300 and above) or None; `codes` are the body's type and code in
    lower case; `words` is the text to search, in lower case, empty if a type or code already
    decides. `body_wait_ms` is the wait that the body asks for, in a field or in its text.
    """

    signals: Signals
    status: int | None
    codes: frozenset[str]
    classes: frozenset[str]
    words: str
    body_wait_ms: int | None

    def says(self, topic: Topic) -> bool:
        """Return whether the text contains a phrase about `topic`."""
        return phrases.mentions(topic, self.words)

    @property
    def retry_after_ms(self) -> int | None:
        """The longest wait that header or body ask for; None if neither does."""
        signals = self.signals
        header = retry_after.retry_after_ms(signals.headers, signals.at)
        hints = [hint for hint in (header, self.body_wait_ms) if hint is not None]
        return max(hints, default=None)

    @property
    def asks_to_wait(self) -> bool:
        """Whether the body asks for a short wait, as no empty account does."""
        return self.body_wait_ms is not None and self.body_wait_ms <= SHORT_WAIT_MS

    @property
    def is_page(self) -> bool:
        """Whether the body is a web page."""
        return (self.signals.body_message or "").lstrip().startswith("<")

    @property
    def names_model(self) -> bool:
        """Whether the body is about a model, and not only about a path of the server."""
        if not names.UNKNOWN_MODEL.isdisjoint(self.codes):
            return True
        if self.is_page:
            return False
        if self.says("model"):
            return True
        said = (self.signals.body_message or "").lower()
        model = (self.signals.model or "").lower()
        return bool(model and model in said) or "model" in _PATH.sub("", said)

    @property
    def is_elsewhere(self) -> bool:
        """Whether a server responds, but not a model API: base_url may be wrong."""
        if self.status in names.STATUS_NO_PLACE:
            return not self.names_model and not self.says("policy")
        if not names.ADDRESS.isdisjoint(self.classes) or self.says("plain"):
            return True
        if self.signals.malformed == "content_type":
            return self.status is None and not self.codes
        return self.status == 400 and self.is_page

    @property
    def proxy_refused(self) -> bool:
        """Whether a proxy refused the request, and would again."""
        if self.status == names.STATUS_PROXY or "ProxyAddressError" in self.classes:
            return True
        if self.signals.proxy is None:
            return False
        if names.PROXY in self.classes:
            return not self.proxy_in_vain
        return self.status == 403 and (self.is_page or "proxy-authenticate" in self.signals.headers)

    @property
    def proxy_in_vain(self) -> bool:
        """Whether a proxy could not reach the provider."""
        return names.PROXY in self.classes and (
            re.search(r"\b5\d\d\b|could not connect|unreachable|refused|timed out", self.words)
            is not None
        )


def read(signals: Signals) -> Facts:
    """Derive the facts of `signals`."""
    codes = frozenset(
        word.strip().lower() for word in (signals.body_type, signals.body_code) if word
    )
    words = ""
    if names.SPECIFIC.isdisjoint(codes):
        words = f"{signals.body_message or ''}\n{signals.text}"[:_SEARCHED].lower()
    return Facts(
        signals=signals,
        status=_status(signals, words),
        codes=codes,
        classes=frozenset(signals.exceptions),
        words=words,
        body_wait_ms=_body_wait(signals),
    )


def _body_wait(signals: Signals) -> int | None:
    said = retry_after.wait_in_words((signals.body_message or signals.text).lower())
    hints = [hint for hint in (signals.body_wait_ms, said) if hint is not None]
    return max(hints, default=None)


def _status(signals: Signals, words: str) -> int | None:
    if signals.status is not None and 300 <= signals.status <= 599:
        return signals.status
    # Compatible servers put the status into the error's code, in a body or inside a stream.
    for code in (signals.body_code, signals.body_type):
        if code is not None and len(code) == 3 and code.isascii() and code.isdigit():
            number = int(code)
            return number if 400 <= number <= 599 else None
    if signals.body_type is None and signals.body_code is None:
        found = phrases.STATUS.search(words)
        if found is not None:
            return int(found[1])
    return None
