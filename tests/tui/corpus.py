"""Corpus of Markdown: answers as models write them, every construct, and odd cases.

The name of an entry says what it tests. The texts are ours.
"""

ANSWERS = {
    "an answer about code": """\
The test hangs because **two** code paths create the timer, and only one is released:

1. `Relay.start()` makes it eagerly.
2. `Relay.drain()` makes *another* one if it is called first.

```python
async def drain(self) -> None:
    if self._timer is None:  # the second path
        self._timer = self._clock.call_later(DRAIN_S, self._done)
    await self._drained.wait()
```

So the fix is to release both:

```diff
-    trap.wait()
+    for _ in range(2):
+        trap.wait()
```

> Note: this also explains why it happened *only* under load; see
> [the report](https://example.org/reports/17 "seventeen").

That should do it.
""",
    "an answer with a table": """\
| option | cost | notes |
|:-------|-----:|:-----:|
| keep polling | 12 % of a core | simple, but *late* |
| long polling | 3 % | one connection per reader, `Retry-After` honoured |
| web sockets | **1 %** | needs a proxy that lets `Upgrade` through \\| see below |

The last one wins. Two things to check:

- [ ] the proxy's idle timeout
- [x] frames are batched
""",
    "steps with code in them": """\
1. Install it:

   ```bash
   make venv
   make run
   ```

2. Then check, in this order:
   - the socket exists
   - the daemon answers:
     1. over the socket
     2. over the network

   If it does not, read `palaverd.log`.
3. Done.
""",
    "a long plan": "# Plan\n\n"
    + "".join(
        f"## Part {part}\n\nFirst look at `module_{part}`, then *carefully* move what belongs to "
        f"**part {part}** into it; nothing else may change, and every step is a commit of its own."
        f"\n\n- move the types\n- move the tests\n  - those of {part}\n\n"
        for part in range(1, 5)
    ),
    "chinese": """\
## 總結

問題出在**計時器**：它被建立了兩次，但只釋放一次。修正方法如下：

1. 在 `drain()` 裡檢查計時器是否已經存在；
2. 如果存在，就直接等待，不要再建立新的。

| 項目 | 說明 |
|---|---|
| 計時器 | 只建立一次 |
| 測試 | 重複執行五十次，全部通過 |
""",
    "japanese and korean": "折り返しは単語の間ではなく文字の間で行われます。"
    "**太字**も*斜体*もあります。"
    "한국어는 단어 사이에서 줄을 바꿉니다. `코드`도 있습니다.\n",
    "arabic and hebrew": "هذا نص عربي مع `code` و **خط عريض** داخل الفقرة.\n\n- פריט ראשון\n"
    "- פריט שני *נטוי*\n",
}

CHARACTERS = {
    "families and skin": "👨‍👩‍👧‍👦 👩🏽‍🚀 👍🏿👍🏻 🏳️‍🌈 " * 4 + "\n",
    "flags": "🇩🇪🇫🇷🇯🇵" * 12 + "\n",
    "keycaps and presentation": "1️⃣ ❤️ ❤︎ ☎️ ✈︎ ™️\n",
    "combining": "e\u0301 a\u0308\u0323 Z\u0351\u036b\u0343a\u0335l\u0321g\u0322o\u0489 n\u0303o\n",
    "emoji in code and tables": "`👍🏽` and\n\n```\n👨‍👩‍👧 = '🇩🇪'\n```\n\n"
    "| 👍🏽 | 漢 |\n|---|---|\n"
    "| ❤️ | e\u0301 |\n",
    "indic and thai": "नमस्ते दुनिया, यह एक **वाक्य** है। ภาษาไทยไม่มีช่องว่างระหว่างคำ\n",
    "carriage returns": "one\r\ntwo\r\n\r\n- a\r\n- b\r\n\r\n```\r\ncode\r\n```\r\n"
    "lone\rreturn\r\n",
    "tabs": "a\tb\n\n-\titem\n\n\tmore\n\n\tcode\tby tab\n\n1.\tone\n\n\t\tcode in it\n",
    "controls": "\x1b[31mred\x1b[0m \x07bell \x9b1m \u202eevil\u202c \u200bzero \ufeff "
    "\x00 &#13; &#x202e;\n",
    "separators": "one\u2028two\u2029three\x0bfour\x0cfive\n",
    "not in any plane": "\U0001f600 \U00020000 \U000e0041 \ud83d lone\n",
    "blanks of all kinds": "no\u00a0break thin\u2009space wide\u3000space \n",
}

CONSTRUCTS = {
    "headings": "# One #\n## Two\nSetext\n======\nOther\n---\n####### seven\n#no\n",
    "breaks": "soft\nhard by blanks  \nhard by slash\\\nend\n",
    "emphasis": "*a* **b** ***c*** _d_ __e__ *a **b *c* d** e* a*b*c snake_case_name ** * 2*3*4\n",
    "emphasis left open": "*a **b ~~c `d [e](f\n\nnext *paragraph*\n",
    "emphasis across lines": "some **bold\nover lines** and *more\nof it*\n",
    "struck": "~~gone~~ ~one~ ~~~~\n",
    "code spans": "`a` ``b ` c`` ` d ` `` ` `` `open\n\n`a\nb`\n",
    "links": "[a](b) [c](<d e> 't') [f][] [g] [h][i] [j [k](l) m](n) [ ](o)\n\n"
    "[f]: /f\n[g]: /g 'g'\n[i]: <>\n",
    "a definition far from its use": "see [x][y] and [y]\n\nmore\n\n- item with [y]\n\n"
    "[y]: https://example.org/y\n",
    "a definition over lines": "see [two\nwords]\n\n[two\nwords]:\n  /url\n  'title'\n",
    "a definition in a quote": "see [q]\n\n> [q]: https://example.org/q\n",
    "pictures": "![alt *it*](a.png) [![in](b.png)](c) ![open](\n",
    "autolinks": "<https://example.org/a%20b> <me@example.org> <not a link> https://example.org\n",
    "references to characters": "&amp; &lt;b&gt; &copy; &#65; &#x42; &nosuch; &#10; &#0;\n",
    "escapes": "\\*not\\* \\\\ \\` \\[x\\] \\q &\\amp;\n",
    "html": "<div class='x'>\n*not it*\n</div>\n\n<!-- no --> <b>x</b>\n",
    "rules": "***\n---\n___\n* * *\n- - -\ntext\n***\n",
    "quotes": "> a\n> b\nlazy\n\n> c\n>\n> d\n>> e\n> > > f\n",
    "lists next to lists": "- a\n- b\n* c\n+ d\n1. e\n2) f\n",
    "loose and tight": "- a\n- b\n\n- c\n- d\n\n  e\n\n\n- f\n",
    "lists in lists": "- a\n  - b\n    - c\n      - d\n        1. e\n           - f\n- g\n",
    "odd indents": "-    a\n\n     b\n - c\n  - d\n   - e\n    - f\n10. g\n    h\n",
    "empty items": "-\n- a\n-\n\n  b\n1.\n2. c\n-   \n",
    "items that begin with blocks": "- # head\n- > quote\n- ```\n  code\n  ```\n"
    "- - nested\n- | a |\n"
    "  |---|\n  | 1 |\n-     code\n",
    "a list right after text": "text\n- a\n- b\ntext again\n1. one\ntext\n2. two\n",
    "numbers": "7. a\n1. b\n99. c\n100. d\n1234567890. no\n0. e\n",
    "tasks": "- [ ] a\n- [x] b\n- [X] c\n- [] d\n- [ ]e\n",
    "tables": "a | b\n--|--\n1 | 2 | 3\n4\n|\n\n| x |\n|:-:|\n| `a|b` |\n| a\\|b |\nafter\n",
    "a table in a paragraph": "text\n| a | b |\n|---|---|\n| 1 | 2 |\n> quote\n",
    "a table in a quote": "> | a | b |\n> |---|---|\n> | 1 | 2 |\n| 3 | 4 |\n",
    "not tables": "| a | b |\n|---|\n\n| a |\n| - - |\n",
    "fences": "```\na\n```\n~~~~ py x\n~~~\n~~~~\n``` a`b\n\n   ```\n   in\n  less\n"
    "      more\n   ```\n",
    "fences left open": "- ```py\n  x = 1\n\n  y\n- next\n\n> ```\n> a\nb\n\n````\n```\n",
    "items that end with panels": "1. a\n   ```sh\n   x\n   ```\n2. b\n   - c\n     ~~~\n     y\n"
    "     ~~~\n   - d\n\n     | e |\n     |---|\n     | 1 |\n   - f\n3. > ```\n   > z\n   > ```\n"
    "4. g\n\n       h\n5. i\n   ```\n   j\n   ```\n   k\n6. l\n   - m\n     - ```\n       n\n"
    "       ```\n     -\n   - o\n7. p\n   - ```\n     q\n",
    "indented code": "    a\n\n      b\n\n\n    c\ntext\n    lazy\n",
    "blank lines": "\n\n  \na\n   \n\t\n\n\nb\n\n",
    "blanks at ends": "   a   \n  b  \n   c   ",
    "only marks": "#\n>\n-\n```\n*\n|\n",
    "formulas in a line": "$\\hat{x}_{i} = \\bar{y}_{j}$ and \\(x \\in \\{1,\n2\\}\\), "
    "\\[a \\; \\& b\\]; $a*b*c$ $\\alpha$ **$x^2$** $$y$$ \\begin{a}x\\end{a} [$l$](m)\n",
    "no formulas": "$5 and $6, $20,000 to $30,000; $HOME **or** $PATH, `$A` to `$B` $ c $ \\$d$ "
    "$e\n\n$f\n",
    "displayed formulas": "so\n$$\n\\begin{aligned}\na &= *b* \\\\\n- c\n= d\n# e\n"
    "\\end{aligned}\n$$\nand\n\\[\n> x\n\\]\n$$ y $$\n\\begin{align*}\n1. z\n\\end{align*}\nend\n",
    "displayed formulas in containers": "- a\n  $$\n  - b\n  $$\n  c\n- \\[\n  d\n\n  e\n\n"
    "> $$\n> f\n> $$\n> g\n> \\[\nlazy\n\n1. $$\nout\n",
    "formulas without end": "$$\na\n- b\n\nc $$ d\n\n\\[\n\n\\begin{align} x\n- y\n\n$$\n# z",
    "emphasis beside wide punctuation": "含**「重点」**内容，以及**历经10年发展，**年。\n"
    "**開源：**代碼。これは**重要（必須）**です。~~「旧」~~も*「斜」*も。\n"
    '**"강조"**입니다 **English:**next f(x,**k) **a**b\n',
    "breaks in cells": "| a<br>b | c |\n|---|---|\n| one<br/>two <BR> three | `<br>` x |\n\n"
    "a<br>b\n",
    "rows of more cells than their head": "| a | b |\n|---|---|\n| 1 | `c|d` | e \\| f |\n"
    "x | y | z\n| p |  | q ||\n> | r | s |\n> |--|--|\n> | 1 | 2|3|\n",
    "a table that does not fit": "| "
    + " | ".join(f"head{n}" for n in range(9))
    + " |\n"
    + "|---" * 9
    + "|\n"
    + "| "
    + " | ".join(f"*cell* {n}" for n in range(9))
    + " |\n| one | | three\\|3 |\n",
    "ten lists in lists": "".join("  " * n + f"- item {n}\n" for n in range(12)) + "\nThe end.\n",
    "thirty lists and quotes in each other": "".join(
        "> - " * n + f"text{n}\n\n" for n in range(1, 31, 4)
    ),
    "deeper than lists and quotes go": "> " * 120 + "deep\n\n" + "- " * 70 + "*deep*\n\nend\n",
}

LONG = {
    "a huge fence": "```python\n"
    + "".join(
        f'def f{n}(x):\n    """Doc\n    string {n}"""\n    return x + {n}  # note\n'
        for n in range(60)
    )
    + "```\nafter\n",
    "a fence without end": "~~~rust\n" + '    let x = "🇩🇪 漢字";\n' * 70,
    "lines longer than any screen": "```\n"
    + "x" * 700
    + "\n"
    + "漢" * 300
    + "\n```\n"
    + "y" * 600
    + "\n",
    "a line of data in a fence": "before\n\n```json\n{\n"
    + "["
    + ", ".join(f'"key{n}": {n}' for n in range(250))
    + "],\n"
    + "\t".join(f"漢{n}" for n in range(120))
    + "🇩🇪🇫🇷👨‍👩‍👧" * 90
    + "\n}\n"
    + "x = 'short'\n" * 30
    + "```\nafter\n",
    "a line of data that ends nothing": "   ~~~ py\n   x = '" + "e\u0301a\u0308\t" * 500,
    "a paragraph that begins like a definition": "[note](https://example.org) "
    + "word **bold** " * 90
    + "\n\n[note]: this is *not* one "
    + "word `code` " * 60
    + "\n\n[note that never ends "
    + "word " * 260
    + "\n\n[ ] "
    + "task " * 90,
    "many definitions": "see [r3] and [r4][r4]\n\n"
    + "".join(f"[r{n}]: https://example.org/{n}\n" for n in range(30))
    + "[r30]: /x 'title'\n[r31]: /y\n  'title'\n[r32]:\n  /z\n[r33]: /z\ntext [r30]\n"
    + "[no]: a b\n- [r34]: /q\n  [r35]: /r\n\n  see [r35]\n[r36]: /s\n# head\n[r37]: /t",
    "much indented code": "text\n\n"
    + "".join(f"    x{n} = {n}\n" + "\n" * (n % 5 == 0) + "   \n" * (n % 7 == 0) for n in range(60))
    + "\ty = 1\n  \tz = 1\n      w\n        \n\n  end\n",
    "long blocks that close in an item": "- top\n\n  ```python\n"
    + "".join(f"  x{n} = '''text {n}  # note\n" for n in range(170))
    + "  ```\n\n  | n | what |\n  |---|---|\n"
    + "".join(f"  | {n} | {'word ' * (n % 19)} |\n" for n in range(130))
    + "\n  > ```\n"
    + "  > line of it, which is long enough\n" * 130
    + "  > ```\n  > after\n\n  "
    + "word **bold** " * 320
    + "\n\n  end\n- next\n",
    "a tag longer than any screen": "```" + "漢字tag" * 60 + "\ncode\n```\n" + "word " * 99 + "\n",
    "a paragraph without a line feed": "".join(
        f"word{n} " + ("**bold words** `code` " if n % 7 == 0 else "") for n in range(250)
    ),
    "a paragraph that opens what it does not close": "*x [y " + "word ~~two _three " * 80,
    "many items": "".join(f"{n}. item *{n}* `x`\n" for n in range(1, 60)),
    "an item of everything": "- top "
    + "with many words, so that it is laid out in parts and not as a whole, " * 6
    + "\n\n"
    + "".join(
        f"  {line}\n" if line else "\n"
        for line in (ANSWERS["an answer about code"] + ANSWERS["an answer with a table"]).split(
            "\n"
        )
    ),
    "a quote of everything": "".join(
        f"> {line}\n"
        for line in (
            "words that fill a line of the quote\n" * 12 + ANSWERS["steps with code in them"]
        ).split("\n")
    ),
    "a long table": "| n | square | words |\n|--:|:--:|---|\n"
    + "".join(f"| {n} | {n * n} | {'word ' * (n % 9)}*{n}* |\n" for n in range(60)),
}

ALL = {**ANSWERS, **CHARACTERS, **CONSTRUCTS, **LONG}
