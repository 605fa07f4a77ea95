"""The simulator's HTTP server: routes, counters, and the handling of a request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from random import Random
from types import TracebackType
from typing import Any

import msgspec
from aiohttp import ClientConnectionResetError, web

from palaver.clock import Clock, SystemClock
from palaver.servers.facts import Server
from palaverd.simulator.answers import compose, thoughts, title
from palaverd.simulator.anthropic import AnthropicWire
from palaverd.simulator.chat import ChatWire
from palaverd.simulator.dialects import (
    DIALECTS,
    answers_of,
    headers_of,
    owner_of,
    said_by,
    spoken_by,
)
from palaverd.simulator.faults import FAULTS, Fault
from palaverd.simulator.misbehaviour import misbehave
from palaverd.simulator.prompt import Answer, BadRequestError, Prompt
from palaverd.simulator.responses import ResponsesWire
from palaverd.simulator.scenarios import Scenario
from palaverd.simulator.script import DirectiveError, Injected, Script, parse
from palaverd.simulator.sessions import Session
from palaverd.simulator.speech import Speech
from palaverd.simulator.wire import Wire, cut_anywhere, pieces

# Words per second, as of a fast model.
DEFAULT_RATE = 60.0
# The largest prompt that real providers take (Anthropic: 32 MB).
MAX_BODY = 32 * 1024 * 1024
# A request for at most so many tokens wants a title, not a whole answer.
SHORT_ANSWER = 128

# Seconds for open streams at a shutdown. Not 0: to aiohttp that is no limit at all
# (test_it_ends_at_once_although_streams_wait_for_ever).
SHUTDOWN = 0.05
# Separates merged messages of one role.
JOINT = "\n\n"
# What begins the directive of a session.
SESSION_MARK = "[[session="
# The beginning of a merged message that begins with a directive.
BEGINNING = re.compile(rf"(?:\A|{JOINT})(?=\[\[)")
# Messages to remember, and their greatest length in characters: what people type.
MOST_HEARD = 1000
LONGEST_HEARD = 4096

MODELS = ("sim-large", "sim-small")
NO_SUCH_MODEL = "no-such-model"
BAD_KEYS = frozenset({"bad-key", "invalid", "wrong"})


class Recorded(msgspec.Struct, frozen=True):
    """One received request; `at` is its time by the simulator's clock (seconds).

    `port` is the client's, by which its connections are told apart.
    """

    path: str
    headers: Mapping[str, str]
    body: Any
    at: float
    port: int


class Simulator:
    """Serves on a loopback port within an `async with` block.

    `rate` is words per second (0: no pauses), `seed` makes a run repeatable, `scenario` selects the
    fault of each prompt. `requests` records requests, oldest first, without the list of models;
    `stalled` counts answers that send nothing more and stay open. A rate of 0 waits only for
    directives that name a time. With `keyless` no key is required, as by a private server.
    `dialect` is the server of the table to imitate. `sessions` are those that a message can have
    played, by name.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        rate: float = DEFAULT_RATE,
        seed: int = 0,
        scenario: Scenario | None = None,
        clock: Clock | None = None,
        keyless: bool = False,
        dialect: str | None = None,
        sessions: Mapping[str, Session] | None = None,
    ) -> None:
        self._sessions = sessions or {}
        self.requests: list[Recorded] = []
        self.stalled = 0
        self._port = port
        self._rate = rate
        self._seed = seed
        self._scenario = scenario
        self._keyless = keyless
        self._dialect = dialect or (scenario.dialect if scenario else None)
        self._clock = clock or SystemClock()
        self._began = self._clock.monotonic()
        self._failed: Counter[str] = Counter()
        self._turns: dict[str, int] = {}
        self._heard: dict[str, None] = {}  # messages, oldest first
        self._count = 0
        self._runner: web.AppRunner | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a path."""
        return self._url

    async def __aenter__(self) -> Simulator:
        app = web.Application(client_max_size=MAX_BODY)
        server = None if self._dialect is None else DIALECTS[self._dialect]
        app.router.add_get("/v1/models", self._models)
        for path, told in answers_of(server).items():
            app.router.add_get(path, _telling(told))
        app.on_response_prepare.append(_naming(headers_of(server)))
        for wire in (AnthropicWire(), ResponsesWire(), ChatWire()):
            app.router.add_post(wire.path, self._handler(wire))
        # Stalled streams end with their client, and at the shutdown.
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=SHUTDOWN, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # --- one request --------------------------------------------------------------------------

    def _handler(self, wire: Wire) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            self._count += 1
            request_id = f"req_sim{self._count:06d}"
            body = await _json(request)
            now = self._clock.monotonic()
            port = request.get_extra_info("peername", ("", 0))[1]
            self.requests.append(Recorded(wire.path, dict(request.headers), body, now, port))
            try:
                return await self._answer(wire, request, body, request_id)
            except (BadRequestError, DirectiveError) as error:
                return _refuse(wire, FAULTS["400"], request_id, str(error))
            except ClientConnectionResetError:
                return web.Response()  # the client has disconnected

        return handle

    async def _answer(
        self, wire: Wire, request: web.Request, body: Any, request_id: str
    ) -> web.StreamResponse:
        if not isinstance(body, dict):
            raise BadRequestError("The request body is not valid JSON")
        server = None if self._dialect is None else DIALECTS[self._dialect]
        if not self._keyless and not _is_authorised(request.headers):
            return _refuse(wire, FAULTS["401"], request_id, server=server)
        prompt = wire.read(body)
        if prompt.model == NO_SUCH_MODEL:
            return _refuse(wire, FAULTS["404"], request_id, server=server)
        # Attempts of one call share this; those of another protocol do not.
        call = f"{wire.path}:{prompt.key}"
        script = self._script(call, prompt)
        injected = self._due(call, prompt, script)
        if script.dialect is not None:
            server = DIALECTS[script.dialect]
        if server is not None:
            wire = spoken_by(server, wire)
            if injected is not None:
                told = said_by(server, injected.fault)
                injected = msgspec.structs.replace(injected, fault=told)
        speech = Speech(
            wire=wire,
            request=request,
            request_id=request_id,
            prompt=prompt,
            answer=self._compose(prompt, script),
            rate=self._rate if script.rate is None else script.rate,
            slow_first=script.slow_first,
            clock=self._clock,
            stalls=self._count_stall,
        )
        if injected is not None:
            return await misbehave(speech, injected)
        return await speech.send()

    def _count_stall(self) -> None:
        self.stalled += 1

    def _script(self, call: str, prompt: Prompt) -> Script:
        script = parse(self._unheard(prompt.last))
        if (step := self._step(prompt)) is not None:
            return step
        if prompt.goes_on:
            # The directives were applied to the answer that called the tools.
            return Script(prompt=script.prompt, rate=script.rate, dialect=script.dialect)
        if self._scenario is None or script.injected:
            return script
        turn = self._turns.setdefault(call, len(self._turns))
        directive = self._scenario.directives[turn % len(self._scenario.directives)]
        return parse(f"{directive} {self._unheard(prompt.last)}") if directive else script

    def _step(self, prompt: Prompt) -> Script | None:
        """Return the next step of the session that is played; None if there is none.

        Raises:
            DirectiveError: a message names a session that there is not.
        """
        done = prompt.answers_after(SESSION_MARK)
        if done is None:
            return None
        said = next(text for role, text in reversed(prompt.texts) if SESSION_MARK in text)
        script = parse(said)
        if (session := self._sessions.get(script.session or "")) is None:
            known = ", ".join(self._sessions) or "none"
            raise DirectiveError(f"There is no session {script.session}; there are: {known}.")
        steps = session.steps
        return steps[done].script(script) if done < len(steps) else None

    def _unheard(self, last: str) -> str:
        """Return the new part of a message.

        A message without an answer arrives again, merged before the next one. Its directives were
        applied, or it was never received: then the new part is recognised by the directive it
        begins with.
        """
        if len(last) > LONGEST_HEARD or JOINT not in last:
            self._hear(last)
            return last
        heard = [one for one in self._heard if last.startswith(one + JOINT)]
        self._hear(last)
        new = last[len(max(heard, key=len) + JOINT) :] if heard else last
        begun = [match.end() for match in BEGINNING.finditer(new)]
        return new[begun[-1] :] if begun and BEGINNING.match(new) else new

    def _hear(self, last: str) -> None:
        if len(last) <= LONGEST_HEARD:
            self._heard[last] = None
        if len(self._heard) > MOST_HEARD:
            del self._heard[next(iter(self._heard))]

    def _due(self, call: str, prompt: Prompt, script: Script) -> Injected | None:
        """Return the next fault of a call; an answer restarts the count."""
        before = 0  # how often the faults before it strike
        for injected in script.injected:
            if injected.model not in (None, prompt.model):
                continue
            if injected.lasts is not None:
                if self._clock.monotonic() < self._began + injected.lasts:
                    return injected
                continue
            if injected.times is None:
                return injected
            before += injected.times
            if self._failed[call] < before:
                self._failed[call] += 1
                return injected
        if before:
            del self._failed[call]
        return None

    def _compose(self, prompt: Prompt, script: Script) -> Answer:
        random = Random(f"{self._seed}:{prompt.key}")
        if script.text is not None:
            text = script.text
        elif script.echo:
            text = script.prompt
        elif prompt.max_tokens is not None and prompt.max_tokens <= SHORT_ANSWER:
            text = title(script.prompt)
        else:
            text = compose(script.prompt, random, script.length)
        words = list(pieces(text))
        finish = "tool" if script.calls else "stop"
        if prompt.max_tokens is not None and len(words) > prompt.max_tokens:
            words, finish = words[: prompt.max_tokens], "length"
        reasoning = thoughts(script.prompt, random) if prompt.reasoning or script.reasoning else ""
        return Answer(
            id=f"sim{self._count:06d}",
            model=prompt.model,
            text="".join(words),
            reasoning=reasoning,
            calls=tuple(
                msgspec.structs.replace(use, cuts=cut_anywhere(use.arguments, random))
                for use in script.calls
            ),
            finish=finish,
            input_tokens=prompt.tokens,
            output_tokens=len(words) + len(reasoning.split()),
            reasoning_tokens=len(reasoning.split()),
        )

    async def _models(self, request: web.Request) -> web.Response:
        if "anthropic-version" in request.headers:
            data: list[dict[str, Any]] = [
                {
                    "type": "model",
                    "id": name,
                    "display_name": name,
                    "created_at": "2025-01-01T00:00:00Z",
                }
                for name in MODELS
            ]
            return web.json_response(
                {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
            )
        owner = owner_of(None if self._dialect is None else DIALECTS[self._dialect])
        data = [
            {"id": name, "object": "model", "created": 1735689600, "owned_by": owner}
            for name in MODELS
        ]
        return web.json_response({"object": "list", "data": data})


def _telling(told: Any) -> Any:
    async def tell(request: web.Request) -> web.Response:
        return web.json_response(told)

    return tell


def _naming(headers: Mapping[str, str]) -> Any:
    """Return a signal handler that adds the identifying headers of a server to each response."""

    async def name(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    return name


async def _json(request: web.Request) -> Any:
    try:
        return msgspec.json.decode(await request.read())
    except msgspec.DecodeError:
        return None


def _refuse(
    wire: Wire,
    fault: Fault,
    request_id: str,
    message: str | None = None,
    *,
    server: Server | None = None,
) -> web.Response:
    if server is not None:
        wire, fault = spoken_by(server, wire), said_by(server, fault)
    return web.json_response(
        wire.error(fault, message, request_id),
        status=fault.status,
        headers={wire.request_id_header: request_id},
    )


def _is_authorised(headers: Mapping[str, str]) -> bool:
    key = headers.get("x-api-key") or headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(key) and key not in BAD_KEYS
