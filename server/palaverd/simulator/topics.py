"""Texts of the simulator's answers, by topic."""

from __future__ import annotations

import msgspec


class Topic(msgspec.Struct, frozen=True):
    """Words that select it, and its text. A `whole` text gets no closing sentence."""

    words: frozenset[str]
    text: str
    whole: bool = False


def _topic(words: str, text: str, *, whole: bool = False) -> Topic:
    return Topic(frozenset(words.split()), text.strip(), whole)


TOPICS: tuple[Topic, ...] = (
    _topic(
        "hello hi hey hallo welcome greetings",
        """
Hello! I am the **simulator**: a model provider that needs no key. I speak the same protocol as \
the real ones, so everything you see here works with them, too.

Some things to try:

- Ask me why the sky is blue, for a haiku, or for a bit of Python.
- Send a second message while I am still talking: it waits in the queue.
- Write `[[529]]` in a message, and watch a failed attempt being retried.
- Write `[[length=800]]` for a long answer, then stop me in the middle.
""",
        whole=True,
    ),
    _topic(
        "sky blue sunset sunlight rayleigh",
        """
Sunlight looks white, but it is a mixture of all colours. On its way through the atmosphere it \
meets molecules that are **far smaller than its wavelength**, and those scatter short waves much \
more strongly than long ones: the strength goes with 1/λ⁴.

| colour | wavelength | scattered, relative to red |
| --- | ---: | ---: |
| red | 700 nm | 1.0 |
| green | 530 nm | 3.0 |
| blue | 450 nm | 5.9 |

So blue light reaches your eye *from every direction*, and the whole sky glows with it. Violet is \
scattered even more, but the Sun sends less of it, and our eyes are less sensitive there.

In the evening the light takes a longer path. Most of the blue is lost on the way, and what is \
left is orange and red.
""",
    ),
    _topic(
        "haiku poem poetry verse",
        """
> The lid is closed now.
> Somewhere a small process waits,
> keeping every word.
""",
    ),
    _topic(
        "python script function code asyncio async await generator decorator",
        """
Here is a small, complete example. It runs several tasks at once and **stops them all** as soon \
as one fails:

```python
import asyncio


async def fetch(name: str, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"{name} after {seconds} s"


async def main() -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(n, s)) for n, s in [("a", 0.2), ("b", 0.1)]]
    for task in tasks:
        print(task.result())


asyncio.run(main())
```

Three things worth knowing:

1. A `TaskGroup` waits for all its tasks; nothing outlives the block.
2. If one task raises, the others are **cancelled**, and the errors come together in an \
`ExceptionGroup`.
3. Results are read *after* the block, where they are certain to exist.
""",
    ),
    _topic(
        "sql database query postgres postgresql sqlite index join table",
        """
The query is slow because the database has to read **every row** to find a few. An index that \
begins with the column you filter by lets it go straight there:

```sql
CREATE INDEX orders_by_customer ON orders (customer_id, created_at DESC);

SELECT id, total, created_at
FROM orders
WHERE customer_id = 42
ORDER BY created_at DESC
LIMIT 20;
```

The second column matters, too: the rows come out of the index *already sorted*, so the `LIMIT` \
can stop after twenty.

| | without index | with index |
| --- | ---: | ---: |
| rows read | 1,200,000 | 20 |
| sort | in memory | none |

Check it with `EXPLAIN`, before and after. An index is not free: each insert maintains it.
""",
    ),
    _topic(
        "git commit rebase merge branch",
        """
Short version: **merge** keeps history as it happened, **rebase** rewrites it as if you had \
started later.

```console
$ git fetch origin
$ git rebase origin/main
$ git push --force-with-lease
```

- Rebase what only you have seen: it makes a review easier to read.
- Merge what others have built upon: their commits stay valid.
- `--force-with-lease` refuses to overwrite work that you have not seen; plain `--force` does not.

If a rebase goes wrong, `git reflog` still knows where you were.
""",
    ),
    _topic(
        "recipe cook dinner pasta soup bread cake eat lunch",
        """
**Lemon pasta for two**, in the time the water needs:

- 200 g spaghetti
- 1 lemon, zest and juice
- 60 g grated parmesan
- 2 tablespoons of butter, black pepper

1. Boil the pasta in well salted water. Keep a cup of that water.
2. Melt the butter with the zest, take it off the heat, add the juice.
3. Toss the pasta in it with half a cup of the water and the cheese, until it is *creamy*.

It tastes best at once. A handful of rocket on top does no harm.
""",
    ),
    _topic(
        "trip travel plan weekend city visit berlin paris lisbon rome vienna itinerary",
        """
Two days are enough if you **walk more and queue less**:

| | morning | afternoon | evening |
| --- | --- | --- | --- |
| Day 1 | the old town, on foot | one museum, only one | by the river |
| Day 2 | a market, breakfast there | a park, a long coffee | a concert or a cinema |

Some advice that holds in most places:

- Book the *one* thing you would regret missing, and nothing else.
- Take the tram once from end to end: it shows how people live.
- Eat where the menu is short.
""",
    ),
    _topic(
        "regex regexp pattern",
        """
A pattern for dates such as `2024-03-09`, with named groups:

```python
import re

DATE = re.compile(r"(?P<year>\\d{4})-(?P<month>\\d{2})-(?P<day>\\d{2})")

if match := DATE.fullmatch("2024-03-09"):
    print(match["year"], match["month"])
```

`fullmatch` is the important word: `search` would also accept *half a phone number* with a date \
in it. And a pattern checks the **shape**, not the calendar; `2024-02-31` passes. Leave that to \
`date.fromisoformat`.
""",
    ),
    _topic(
        "compare comparison difference versus vs better pros cons",
        """
It depends on what you will change later, so compare them by that:

| | the first | the second |
| --- | --- | --- |
| to begin with | quick | needs some thought |
| after a year | harder to change | easy to change |
| when it fails | all at once | one part at a time |
| for a team of | one or two | more |

**My advice:** begin with the first, and keep the border between the two clear in your code. \
Then the day you need the second, it is a week of work and not a quarter.
""",
    ),
    _topic(
        "test tests testing pytest flaky bug debug error crash",
        """
A test that fails once in a hundred runs is telling you something **true**: the program has two \
orders of events, and you have thought of one.

How I would look for it:

1. Run it in a loop until it fails, and note the seed.
2. Replace every sleep by a wait *for a condition*.
3. Hand the clock in, so that the test decides what time it is.

```console
$ for i in $(seq 50); do pytest -q tests/test_queue.py || break; done
```

When you have found it, write down in the test's name what must hold. The next reader will thank \
you.
""",
    ),
    _topic(
        "palaver daemon client chat",
        """
**Palaver** keeps your conversations in a daemon instead of in a terminal. The daemon stores \
each chat, calls the model and retries what fails; the terminal is only a window to it.

- Close the window: the answer goes on without you.
- Open it again: you are back in the middle of the word.
- Kill the daemon: every message that was acknowledged is still there.
""",
    ),
)

CLOSINGS: tuple[str, ...] = (
    "Shall I go into one of these?",
    "Tell me more about your case, and I will be more precise.",
    "If you want, I can turn this into something you can run.",
    "That is the short version; ask, and there is a longer one.",
)

# For any other topic. `{subject}` are the significant words of the question.
GENERIC: tuple[str, ...] = (
    """\
Let me begin with the short answer: with **{subject}**, most of the trouble comes from doing two \
things at once. Take them apart, and each of them is simple.

1. **Say what must hold.** One sentence, without “usually”.
2. **Find the smallest case** that shows it. If you cannot, the sentence is not clear yet.
3. **Change one thing**, look again, and write down what you saw.

The order matters more than the speed. People who start with the third step often come back to \
the first one, only *later and more tired*.""",
    """\
Good question. There are three ways to look at {subject}, and they answer different things:

- **What it is.** A name for something people did long before it had one.
- **What it costs.** Little at first; then a bit more with everything that depends on it.
- **What it is for.** This is the one to start from, since it decides about the other two.

> A thing that is used every day should be boring in all the right places.

So I would write down who needs it and how often, and leave everything out that is not on that \
list. It is easier to add something later than to take it away.""",
    """\
{Subject}, in one picture:

```text
  idea ──▶ smallest thing that works ──▶ use it for a week
   ▲                                           │
   └──────────── what you learned ◀────────────┘
```

The arrow back is the important one. Without it you are **guessing**; with it, a wrong first \
attempt costs a week and teaches you something.

A rule of thumb for the size of the first attempt: if you cannot explain it to a colleague *while \
the kettle boils*, it is too big.""",
    """\
I would compare the options for {subject} by what happens when they go wrong, because that is \
what you will remember:

| option | when it works | when it fails |
| --- | --- | --- |
| by hand | slow, but clear | you notice at once |
| a small script | quick | you notice in the log |
| a whole system | you forget it exists | somebody else notices |

For something you do **once a month**, the script is usually right. Keep it in version control, \
let it say what it is going to do, and let it *stop* at the first surprise.""",
)
