"""A chat whose answers have deeply nested lists, formulas, and emphasis without blanks."""

from __future__ import annotations

from palaver.wire.events import CaughtUp, MessageEvent
from tui.replay import ReplayClient, answer, chat, status, user, versions

TITLE = "Formulas and lists in lists"
FORMULAS = r"""
With $\alpha$ = 0.05 and $n \ge 30$ the mean \(\hat{x}_{i} = \bar{y}_{j}\) costs $5 to $6:

$$
\begin{aligned}
  f(x) &= a_{0} + a_{1} x \\
- g(x) &= \sum_{k=1}^{n} b_{k}
\end{aligned}
$$

Then \[ x \in \{1, 2\} \; \& \; y^2 \] follows, so A $\rightarrow$ B at $90^\circ$.

含**「重点」**内容，以及**历经10年发展，**年。これは**重要（必須）**です。 **English:**next

| option | what it does |
|---|---|
| `a` | first line<br>second line |
| `b` | $x^2$ or `c|d` |
"""
NESTED = (
    "".join(f"{'  ' * level}- level {level}\n" for level in range(20))
    + "- next\n\n"
    + "> " * 12
    + "a quote in quotes, with words that go on to the line after it\n\n- - - - ```py\n"
    + "        x = 1\n        ```\n\n"
    + "".join(f"| {' | '.join(f'{kind}{n}' for n in range(12))} |\n" for kind in ("head", "cell"))
    + "\nThe end.\n"
)
NESTED = NESTED.replace("| cell0", "|" + "---|" * 12 + "\n| cell0")


def nested(daemon: ReplayClient) -> None:
    """Open the chat."""
    daemon.open(chat("a", TITLE))
    messages = [user(1, "What is it?"), answer(2, FORMULAS), user(3, "And?"), answer(4, NESTED)]
    daemon.stream_of("a").tell(
        status("waiting", TITLE, versions=versions(5, 4, 4)),
        *map(MessageEvent, messages),
        CaughtUp(5),
    )
