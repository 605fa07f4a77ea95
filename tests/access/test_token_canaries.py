"""A token is shown once and written nowhere: not in logs, errors, files or process lists."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from failures.test_canaries import run, serving
from support.daemon import short_dir

pytestmark = pytest.mark.process

WRONG = "palaver_0000000000_Quartz5Meadow8Lantern2Reef"


def running() -> bytes:
    """Return the command line of every process."""
    found = b""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += (process / "cmdline").read_bytes()
        except OSError:  # it ended meanwhile
            continue
    return found


async def said_to(port: int, sent: bytes) -> bytes:
    """Send these bytes; return the daemon's response, until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


async def test_no_token_is_in_a_log_an_answer_a_frame_a_database_or_the_process_list() -> None:
    written: dict[str, bytes] = {}
    async with short_dir() as folder:
        (folder / "config.toml").write_text('[server]\nlisten = ["127.0.0.1:0"]\n')
        async with serving(folder):
            log = (folder / "log").read_text()
            found = re.search(r"127\.0\.0\.1:[0-9]+", log)
            assert found is not None, log
            url = f"http://{found[0]}"
            data = ("--data-dir", str(folder / "data"))
            made = []
            for name in ("good", "revoked"):
                out = await run("palaverd", "token", "create", name, "--json", *data)
                answer = json.loads(next(line for line in out.splitlines() if b"secret" in line))
                made.append(answer)
            written["revoke"] = await run(
                "palaverd", "token", "revoke", made[1]["token"]["id"], *data
            )
            secrets = [made[0]["secret"], made[1]["secret"], WRONG]
            async with aiohttp.ClientSession() as session:
                headers = {"Authorization": f"Bearer {secrets[0]}"}
                async with session.ws_connect(url + "/api/v1/watch", headers=headers) as socket:
                    written["frame"] = str((await socket.receive()).data).encode()
                for number, secret in enumerate(secrets):
                    for path in ("/api/v1/chats", "/api/v1/info", "/nowhere", "/api/v1/tokens"):
                        headers = {"Authorization": f"Bearer {secret}"}
                        async with session.get(url + path, headers=headers) as got:
                            said = str(got.headers).encode() + await got.read()
                            written[f"{path} {number}"] = said
                # In places where none belongs, too.
                for odd in ("Basic", "bearer  Bearer", ""):
                    headers = {"Authorization": f"{odd} {secrets[0]}"}
                    async with session.get(url + "/api/v1/info", headers=headers) as got:
                        written[odd] = await got.read()
            # And in heads that cannot be read.
            port = int(found[0].rpartition(":")[2])
            for odd in (": Bearer", ":Bearer " + 9000 * " ", ":\0Bearer"):
                head = f"GET / HTTP/1.1\r\nAuthorization {odd} {secrets[0]}\r\n\r\n"
                written[head] = await said_to(port, head.encode())
                assert written[head].split()[1] in {b"400", b"431"}, written[head]
            long = f"GET / HTTP/1.1\r\nAuthorization: {secrets[0]}{9000 * 'x'}\r\n\r\n"
            written[long] = await said_to(port, long.encode())
            assert b" 431 " in written[long], written[long]
            written["list"] = await run("palaverd", "token", "list", "--json", *data)
            written["list for people"] = await run("palaverd", "token", "list", *data)
            written["processes"] = await asyncio.to_thread(running)
        copy = folder / "copy.db"
        await run("palaverd", "db", "backup", str(copy), *data)
        for file in [*(folder / "data").rglob("*"), copy, folder / "log"]:
            if file.is_file():
                written[str(file)] = file.read_bytes()
    for secret in secrets:
        bare = secret.split("_", 2)[2].encode()
        assert [where for where, said in written.items() if bare in said] == []
    # The test would see them: they were taken, refused, and kept as what they are.
    assert b'"chats"' in written["/api/v1/chats 0"]
    assert b"revoked" in written["/api/v1/chats 1"]
    assert b"unauthenticated" in written["/api/v1/chats 2"]
    assert made[0]["token"]["id"].encode() in written[str(copy)]
