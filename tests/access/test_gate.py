"""The gate: checking tokens, limiting failed attempts, and ending connections of revoked tokens."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec
import pytest

from access.test_routes import Door, open_door
from palaver.client import Client, Endpoint, Refused
from palaver.wire.chats import CreateChat
from palaver.wire.events import ListSnapshot
from palaverd.api import limits
from palaverd.api.access import Gate, Strikes
from palaverd.api.problems import BadRequest
from palaverd.store.access import StoredToken, hash_of
from palaverd.store.codec import to_ms
from support.clock import ManualClock
from support.tokens import make_token, make_user

SECRET = "s3cret_with-both"
PEER = "192.0.2.7"


def gate(clock: ManualClock, **fields: object) -> tuple[Gate, list[tuple[str, int]]]:
    used: list[tuple[str, int]] = []
    one = Gate(clock, lambda token, now: used.append((token, now)))
    token = StoredToken("abc", "local", hash_of(SECRET), frozenset({"read"}))
    one.know({"abc": msgspec.structs.replace(token, **fields)})
    return one, used


def refusal(one: Gate, *said: str) -> tuple[int, str, str]:
    with pytest.raises(BadRequest) as raised:
        one.caller(list(said), PEER)
    problem = raised.value.problem
    assert SECRET not in str(problem)
    return problem.status, problem.code, problem.detail or ""


def test_a_right_token_says_who_asks_and_what_they_may() -> None:
    one, _ = gate(ManualClock())
    for said in (f"Bearer palaver_abc_{SECRET}", f"bearer  palaver_abc_{SECRET} "):
        caller = one.caller([said], PEER)
        assert (caller.owner, caller.scopes, caller.token_id) == (
            "local",
            frozenset({"read"}),
            "abc",
        )


@pytest.mark.parametrize(
    "said",
    [
        "Bearer",
        "Bearer palaver_abc_",
        "Bearer palaver_abc",
        "Bearer palaver_zzz_" + SECRET,
        "Bearer palaver__" + SECRET,
        "Bearer other_abc_" + SECRET,
        f"Bearer palaver_abc_{SECRET}x",
        f"Bearer palaver_abc_{SECRET[:-1]}",
        f"Basic palaver_abc_{SECRET}",
        f"palaver_abc_{SECRET}",
        "",
        "Bearer palaver_abc_\udce4",
    ],
)
def test_anything_else_is_not_known(said: str) -> None:
    one, used = gate(ManualClock())
    assert refusal(one, said)[:2] == (401, "unauthenticated")
    assert not used


def test_two_headers_are_none() -> None:
    one, _ = gate(ManualClock())
    right = f"Bearer palaver_abc_{SECRET}"
    assert refusal(one, right, right)[0] == 401


def test_whoever_has_an_old_token_is_told_why_it_is_one() -> None:
    clock = ManualClock()
    right, now = f"Bearer palaver_abc_{SECRET}", to_ms(clock.now())
    for fields, word in (
        ({"revoked_at": now}, "revoked"),
        ({"expires_at": now}, "expired"),
        ({"disabled_at": now}, "disabled"),
    ):
        one, _ = gate(clock, **fields)
        assert word in refusal(one, right)[2]
        # and nobody else is.
        assert refusal(one, right + "x")[2] == "This token is not known here."


def test_an_old_token_keeps_nobody_of_its_address_out() -> None:
    one, _ = gate(ManualClock(), revoked_at=1)
    for _time in range(limits.LOGIN_FREE * 3):
        assert refusal(one, f"Bearer palaver_abc_{SECRET}")[0] == 401


def test_wrong_tokens_make_an_address_wait_longer_each_time_and_no_other_one() -> None:
    clock = ManualClock()
    one, _ = gate(clock)
    waited = []
    for _time in range(limits.LOGIN_FREE - 1):
        assert refusal(one, "Bearer palaver_abc_x")[0] == 401
    for _time in range(9):
        assert refusal(one, "Bearer palaver_abc_x")[0] == 401
        # Others behind the same router are admitted meanwhile.
        assert one.caller([f"Bearer palaver_abc_{SECRET}"], PEER).owner == "local"
        with pytest.raises(BadRequest) as raised:
            one.caller(["Bearer palaver_abc_x"], PEER)
        assert raised.value.headers is not None
        waited.append(int(raised.value.headers["Retry-After"]))
        clock.advance(waited[-1])
    assert waited == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.advance(limits.LOGIN_FORGOTTEN_S)
    assert [refusal(one, "Bearer palaver_abc_x")[0] for _ in range(limits.LOGIN_FREE + 1)] == [
        *[401] * limits.LOGIN_FREE,
        429,
    ]


def test_so_many_addresses_are_remembered_and_no_more() -> None:
    strikes = Strikes(ManualClock())
    for number in range(limits.LOGIN_ADDRESSES + 10):
        strikes.strike(str(number))
    assert len(strikes._struck) == limits.LOGIN_ADDRESSES


def test_the_use_of_a_token_is_noted_once_a_minute() -> None:
    clock = ManualClock()
    one, used = gate(clock)
    right = [f"Bearer palaver_abc_{SECRET}"]
    for _time in range(10):
        one.caller(right, PEER)
    assert len(used) == 1
    clock.advance(limits.USED_NOTED_S)
    one.caller(right, PEER)
    assert len(used) == 2


# --- while connected ----------------------------------------------------------------------------


async def streaming(door: Door, secret: str) -> aiohttp.ClientWebSocketResponse:
    headers = {"Authorization": f"Bearer {secret}"}
    socket = await door.session.ws_connect(f"{door.url}/api/v1/watch", headers=headers)
    await socket.receive()
    return socket


async def closed_with(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(5):
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return socket.close_code


async def test_what_is_open_with_a_revoked_token_is_closed_and_nothing_else() -> None:
    async with open_door() as door:
        made, other = await make_token(door.daemon), await make_token(door.daemon)
        admin = (await make_token(door.daemon, "admin")).secret
        one, stays = await streaming(door, made.secret), await streaming(door, other.secret)
        status = (await door.ask("DELETE", f"/api/v1/tokens/{made.token.id}", admin))[0]
        assert status == 200
        assert await closed_with(one) == 4401
        assert (await door.ask("GET", "/api/v1/chats", made.secret))[:2] == (401, "unauthenticated")
        assert not stays.closed
        assert (await door.ask("GET", "/api/v1/chats", other.secret))[0] == 200
        await stays.close()


async def test_what_a_disabled_user_has_open_is_closed_and_comes_back_when_added_again() -> None:
    async with open_door() as door:
        await make_user(door.daemon, "eve")
        admin = (await make_token(door.daemon, "admin")).secret
        hers = (await make_token(door.daemon, user="eve")).secret
        one = await streaming(door, hers)
        assert (await door.ask("POST", "/api/v1/users/eve/disable", admin))[0] == 200
        assert await closed_with(one) == 4401
        assert (await door.ask("GET", "/api/v1/chats", hers))[0] == 401
        await make_user(door.daemon, "eve")
        assert (await door.ask("GET", "/api/v1/chats", hers))[0] == 200
        refused = await door.ask("POST", "/api/v1/users/local/disable", admin)
        assert refused[:2] == (409, "bad_access")


async def test_what_is_open_is_closed_at_the_instant_its_token_ends() -> None:
    clock = ManualClock()
    async with open_door(clock) as door:
        made = await make_token(door.daemon, expires_seconds=4)
        one = await streaming(door, made.secret)
        clock.advance(3)
        await asyncio.sleep(0)
        assert (await door.ask("GET", "/api/v1/chats", made.secret))[0] == 200
        clock.advance(1)
        assert await closed_with(one) == 4401
        assert (await door.ask("GET", "/api/v1/chats", made.secret))[0] == 401


async def test_what_is_being_opened_while_its_token_is_revoked_is_closed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_door() as door:
        made = await make_token(door.daemon)
        admin = (await make_token(door.daemon, "admin")).secret
        async with Client(Endpoint(door.url, token=made.secret)) as client:
            chat = (await client.create_chat(CreateChat("x"))).chat.id
        read, begun, go_on = door.daemon.database.read, asyncio.Event(), asyncio.Event()

        async def slow(*args: Any, **how: Any) -> Any:
            begun.set()
            await go_on.wait()
            return await read(*args, **how)

        monkeypatch.setattr(door.daemon.database, "read", slow)
        headers = {"Authorization": f"Bearer {made.secret}"}
        opening = asyncio.create_task(
            door.session.ws_connect(f"{door.url}/api/v1/chats/{chat}/stream", headers=headers)
        )
        async with asyncio.timeout(5):
            await begun.wait()
        assert (await door.ask("DELETE", f"/api/v1/tokens/{made.token.id}", admin))[0] == 200
        go_on.set()
        assert await closed_with(await opening) == 4401


async def test_when_a_token_was_used_is_written_down() -> None:
    async with open_door() as door:
        made = await make_token(door.daemon, "read", "admin")
        before = made.token.created_at - timedelta(seconds=1)

        async def noted() -> bool:
            headers = {"Authorization": f"Bearer {made.secret}"}
            async with door.session.get(f"{door.url}/api/v1/tokens", headers=headers) as got:
                found = (await got.json())["tokens"][0]
            return bool(found["last_used_at"] and found["last_used_at"] > before.isoformat())

        async with asyncio.timeout(5):
            while not await noted():
                await asyncio.sleep(0.01)


async def test_a_key_of_anothers_request_is_ones_own() -> None:
    async with open_door() as door:
        await make_user(door.daemon, "eve")
        hers = (await make_token(door.daemon, user="eve")).secret
        mine = (await make_token(door.daemon)).secret
        ids = set()
        for token in (hers, mine):
            async with Client(Endpoint(door.url, token=token)) as client:
                ids.add((await client.create_chat(CreateChat("x"), key="same")).chat.id)
        assert len(ids) == 2


async def test_a_client_whose_token_is_revoked_while_it_watches_ends_with_the_reason() -> None:
    async with open_door() as door:
        made = await make_token(door.daemon)
        admin = (await make_token(door.daemon, "admin")).secret

        async def watched(client: Client) -> None:
            async with asyncio.timeout(5), aclosing(client.watch()) as watching:
                async for batch in watching:
                    if any(isinstance(event, ListSnapshot) for event in batch):
                        path = f"/api/v1/tokens/{made.token.id}"
                        assert (await door.ask("DELETE", path, admin))[0] == 200

        async with Client(Endpoint(door.url, token=made.secret)) as client:
            with pytest.raises(Refused, match="revoked") as raised:
                await watched(client)
            assert raised.value.problem.status == 401
