"""Files of messages: what models get of them, what is refused, and that they stay with messages."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_args

import pytest
from msgspec.structs import replace
from PIL import Image
from sqlalchemy import Connection, update

from palaver.client import Client, Endpoint, Refused
from palaver.wire.actions import EditMessage, Fork
from palaver.wire.bounds import FILES_LIMIT, PICTURE_LIMIT
from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.files import StoredFile
from palaver.wire.messages import File, Message
from palaver.wire.queue import ChangeChat, EditQueued
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import ModelConfig, ProviderKind
from palaverd.daemon import Daemon
from palaverd.generation.attachments import read_files
from palaverd.simulator import Simulator
from palaverd.store.prompt import load_history
from palaverd.store.tables import files as file_rows
from palaverd.store.tables import messages
from palaverd.tools.output import LEAST
from support.chats import reaches
from support.daemon import make_daemon, running_pair, short_dir, simulator_config
from support.tokens import make_token, make_user

KINDS = get_args(ProviderKind)
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
SEES = ModelConfig(provider="anthropic", model="sim-large", context_limit=30_000, vision=True)
BLIND = replace(SEES, vision=False)
LONG = "[[rate=5]] [[length=5000]] Why?"


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 3)).save(file, "PNG")
    return file.getvalue()


async def stored(client: Client, name: str, content: bytes) -> StoredFile:
    return await client.send_file(name, io.BytesIO(content))


def names(message: Message | None) -> list[str]:
    assert message is not None
    return [part.name for part in message.parts if isinstance(part, File)]


async def newest(client: Client, chat_id: str) -> Message:
    """Return the newest message of the user."""
    page = await client.messages(chat_id)
    return next(message for message in page.messages if message.role == "user")


@asynccontextmanager
async def seeing(kind: ProviderKind = "anthropic") -> AsyncIterator[tuple[Daemon, Client, Any]]:
    """Run a daemon with one model that sees and one that does not."""
    async with running_pair(kind=kind, models={"sonnet": SEES, "blind": BLIND}) as pair:
        yield pair


async def told(client: Client, simulator: Simulator, **message: Any) -> list[Any]:
    """Send a new chat's message; return the blocks of it that the model got."""
    sent = await client.create_chat(CreateChat(content="[[echo]] look", **message))
    await reaches(client, sent.chat.id, "waiting")
    return blocks(simulator)


def blocks(simulator: Simulator) -> list[Any]:
    """Return the blocks of the last message of the user that the model got."""
    body: Any = simulator.requests[-1].body
    asked = [one for one in body.get("messages") or body["input"] if one.get("role") == "user"]
    content = asked[-1]["content"]
    found = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return [{k: v for k, v in block.items() if k != "cache_control"} for block in found]


def picture_in(kind: ProviderKind, data: str) -> dict[str, Any]:
    url = f"data:image/png;base64,{data}"
    if kind == "anthropic":
        source = {"type": "base64", "media_type": "image/png", "data": data}
        return {"type": "image", "source": source}
    if kind == "openai":
        return {"type": "input_image", "image_url": url}
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_gets_pictures_and_texts_before_what_is_asked(kind: ProviderKind) -> None:
    async with seeing(kind) as (_, client, simulator):
        picture = await stored(client, "a.png", png())
        text = await stored(client, 'b".txt', b"Blue.\n")
        found = await told(client, simulator, files=[picture.id, text.id])
        assert picture_in(kind, base64.b64encode(png()).decode()) in found
        words = "\n\n".join(block["text"] for block in found if "text" in block)
        assert words == '<file name="b\'.txt">\nBlue.\n\n</file>\n\n[[echo]] look'
        assert found[0].keys() != {"type", "text"}


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        (
            "anthropic",
            {
                "type": "document",
                "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": base64.b64encode(PDF).decode(),
                },
                "title": "c.pdf",
            },
        ),
        (
            "openai",
            {
                "type": "input_file",
                "filename": "c.pdf",
                "file_data": f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}",
            },
        ),
    ],
)
async def test_a_document_is_sent_in_the_protocols_own_form(
    kind: ProviderKind, block: dict[str, Any]
) -> None:
    async with seeing(kind) as (_, client, simulator):
        document = await stored(client, "c.pdf", PDF)
        assert (await told(client, simulator, files=[document.id]))[0] == block


async def test_a_model_that_cannot_read_a_file_refuses_the_message_with_a_hint() -> None:
    async with seeing("openai-compatible") as (_, client, _simulator):
        picture, document = await stored(client, "a.png", png()), await stored(client, "c", PDF)
        sent = await client.create_chat(CreateChat("one", model="blind"))
        chat = await reaches(client, sent.chat.id, "waiting")
        message = await newest(client, chat.id)
        version = chat.versions.history
        edit = EditMessage("x", history_version=version, files=[picture.id])
        for refused in (
            client.create_chat(CreateChat("x", model="blind", files=[picture.id])),
            client.send(chat.id, SendMessage("x", files=[picture.id])),
            client.edit_message(chat.id, message.id, edit),
        ):
            says = r"blind cannot read a\.png: .*vision = true"
            with pytest.raises(Refused, match=says) as caught:
                await refused
            assert caught.value.problem.code == "unreadable_file"
            assert caught.value.problem.field == "files"
        with pytest.raises(Refused, match="sonnet cannot read c: its protocol takes no PDF"):
            await client.create_chat(CreateChat("x", files=[document.id]))
        # The model of the message counts before that of the chat.
        await client.send(chat.id, SendMessage("x", model="sonnet", files=[picture.id]))


async def test_an_edit_in_the_queue_is_checked_too() -> None:
    async with seeing() as (_, client, _simulator):
        picture = await stored(client, "a.png", png())
        sent = await client.create_chat(CreateChat(LONG, model="blind"))
        queued = (await client.send(sent.chat.id, SendMessage("two"))).queued
        assert queued is not None
        with pytest.raises(Refused, match="blind cannot read") as caught:
            await client.edit_queued(sent.chat.id, queued.id, EditQueued("x", files=[picture.id]))
        assert caught.value.problem.code == "unreadable_file"


async def test_unknown_too_many_and_too_large_files_are_refused_and_nothing_is_sent() -> None:
    async with seeing() as (daemon, client, _simulator):
        picture = await stored(client, "a.png", png())
        for ids, says in (
            (["none"], "There is no file none"),
            (["x"] * (FILES_LIMIT + 1), f"at most {FILES_LIMIT}"),
        ):
            with pytest.raises(Refused, match=says) as caught:
                await client.create_chat(CreateChat("x", files=ids))
            assert caught.value.problem.field == "files"

        def grows(connection: Connection) -> None:
            connection.execute(update(file_rows).values(size=PICTURE_LIMIT + 1))

        await daemon.database.write(grows)
        with pytest.raises(Refused, match=r"may have 3.75 MiB"):
            await client.create_chat(CreateChat("x", files=[picture.id]))
        assert (await client.chats()).chats == []


async def test_nobody_gets_the_file_of_another_owner_into_a_chat() -> None:
    async with short_dir() as data_dir, Simulator() as simulator:
        listen = [ListenAddress("127.0.0.1", 0)]
        daemon = make_daemon(data_dir, simulator_config(simulator.url), listen=listen)
        await daemon.start()
        try:
            await make_user(daemon, "eve")
            token = await make_token(daemon, user="eve")
            url = f"http://{daemon.listening[0]}"
            async with (
                Client(Endpoint(socket=daemon.socket)) as client,
                Client(Endpoint(base=url, token=token.secret)) as eve,
            ):
                file = await stored(client, "a.txt", b"mine")
                with pytest.raises(Refused) as caught:
                    await eve.create_chat(CreateChat("x", files=[file.id]))
                assert caught.value.problem.code == "unknown_file"
                own = await client.create_chat(CreateChat("[[echo]] x", files=[file.id]))
                await reaches(client, own.chat.id, "waiting")
                document = client.export_chat(own.chat.id, "json")
                copy = io.BytesIO(b"".join([piece async for piece in document]))
                imported = await eve.import_chat(copy)
                await eve.send(imported.chat.id, SendMessage("[[echo]] y"))
                await reaches(eve, imported.chat.id, "waiting")
                first: Any = simulator.requests[-1].body["messages"][0]["content"]
                gone = "[The file a.txt (text, 4 bytes) is no longer there.]"
                assert [block["text"] for block in first] == [gone, "[[echo]] x"]
        finally:
            await daemon.stop()


async def test_what_is_gone_or_cannot_be_read_any_more_is_a_placeholder() -> None:
    async with seeing() as (daemon, client, simulator):
        picture = await stored(client, "a.png", png())
        text = await stored(client, "b.txt", b"Blue.")
        sent = await client.create_chat(CreateChat("look", files=[picture.id, text.id]))
        await reaches(client, sent.chat.id, "waiting")
        daemon.files.path_of(text.id).unlink()
        await client.change_chat(sent.chat.id, ChangeChat(model="blind"))
        await client.send(sent.chat.id, SendMessage("again"))
        await reaches(client, sent.chat.id, "waiting")
        first: Any = simulator.requests[-1].body["messages"][0]["content"]
        assert [block["text"] for block in first] == [
            f"[The file a.png (PNG, {picture.size} bytes) is not shown: you cannot read it.]",
            "[The file b.txt (text, 5 bytes) is no longer there.]",
            "look",
        ]


async def test_a_long_text_is_cut_as_the_output_of_a_tool() -> None:
    async with seeing() as (_, client, simulator):
        text = await stored(client, "b.txt", b"x" * 3 * LEAST)
        found = await told(client, simulator, files=[text.id])
        assert "bytes are left out here. The person has all of it.]" in found[0]["text"]
        assert len(found[0]["text"]) < SEES.context_limit + 200  # type: ignore[operator]


async def test_all_files_of_a_conversation_are_found_with_one_query() -> None:
    async with seeing() as (daemon, client, _simulator):
        ids = [(await stored(client, f"{n}.txt", b"%d" % n)).id for n in range(3)]
        sent = await client.create_chat(CreateChat("[[echo]] one", files=ids[:2]))
        await reaches(client, sent.chat.id, "waiting")
        await client.send(sent.chat.id, SendMessage("[[echo]] two", files=ids[1:]))
        await reaches(client, sent.chat.id, "waiting")
        chosen = daemon.catalog.choose(None)
        assert chosen is not None
        history = await daemon.database.read(lambda c: load_history(c, sent.chat.id))
        reads = 0

        class Counting:
            async def read(self, work: Any) -> Any:
                nonlocal reads
                reads += 1
                return await daemon.database.read(work)

        found = await read_files(Counting(), daemon.files, history, chosen)  # type: ignore[arg-type]
        assert found.keys() == set(ids)
        assert reads == 1


async def test_queued_messages_keep_their_files_into_history() -> None:
    async with seeing() as (_, client, _simulator):
        a, b = [(await stored(client, f"{name}.txt", name.encode())).id for name in "ab"]
        sent = await client.create_chat(CreateChat(LONG))
        chat = await reaches(client, sent.chat.id, "running")
        queued = (await client.send(chat.id, SendMessage("[[echo]] two", files=[a, b, a]))).queued
        assert queued is not None
        assert [file.name for file in queued.files] == ["a.txt", "b.txt"]
        kept = await client.edit_queued(chat.id, queued.id, EditQueued("[[echo]] new"))
        assert [file.name for file in kept.queue[0].files] == ["a.txt", "b.txt"]
        changed = await client.edit_queued(chat.id, queued.id, EditQueued("[[echo]] n", files=[b]))
        assert [file.name for file in changed.queue[0].files] == ["b.txt"]
        await client.interrupt(chat.id, Interrupt(chat.versions.turn))
        await reaches(client, chat.id, "waiting")
        assert names(await newest(client, chat.id)) == ["b.txt"]


async def test_edits_forks_and_imports_keep_the_files_of_messages() -> None:
    async with seeing() as (_, client, _simulator):
        file = await stored(client, "a.txt", b"Blue.")
        sent = await client.create_chat(CreateChat("[[echo]] one", files=[file.id]))
        chat = await reaches(client, sent.chat.id, "waiting")
        assert sent.message is not None
        copy = await client.fork(chat.id, Fork(sent.message.id))
        assert names(await newest(client, copy.chat.id)) == ["a.txt"]
        markdown = b"".join([piece async for piece in client.export_chat(chat.id, "md")]).decode()
        assert r"File: a\.txt \(text, 5 bytes\)" in markdown
        document = b"".join([piece async for piece in client.export_chat(chat.id, "json")])
        imported = await client.import_chat(io.BytesIO(document))
        assert names(await newest(client, imported.chat.id)) == ["a.txt"]
        history = chat.versions.history
        edited = await client.edit_message(
            chat.id, sent.message.id, EditMessage("[[echo]] two", history_version=history)
        )
        assert names(edited.message) == ["a.txt"]
        assert edited.message is not None
        chat = await reaches(client, chat.id, "waiting")
        without = EditMessage("[[echo]] 3", history_version=chat.versions.history, files=[])
        edited = await client.edit_message(chat.id, edited.message.id, without)
        assert names(edited.message) == []


async def test_a_repeated_request_is_answered_again_and_one_with_other_files_is_refused() -> None:
    async with seeing() as (_, client, _simulator):
        a, b = [(await stored(client, f"{name}.txt", name.encode())).id for name in "ab"]
        first = await client.create_chat(CreateChat("x", files=[a]), key="k")
        again = await client.create_chat(CreateChat("x", files=[a]), key="k")
        assert (again.repeated, again.chat.id) == (True, first.chat.id)
        with pytest.raises(Refused) as caught:
            await client.create_chat(CreateChat("x", files=[b]), key="k")
        assert caught.value.problem.code == "idempotency_key_reused"


async def test_a_file_is_kept_as_long_as_a_message_has_it() -> None:
    async with seeing() as (daemon, client, _simulator):
        kept, unused, waits = [
            (await stored(client, f"{name}.txt", name.encode())).id for name in "abc"
        ]
        sent = await client.create_chat(CreateChat(LONG, files=[kept]))
        await reaches(client, sent.chat.id, "running")
        await client.send(sent.chat.id, SendMessage("x", files=[waits]))

        def ages(connection: Connection) -> None:
            connection.execute(update(file_rows).values(uploaded_at=0))

        def purged(connection: Connection) -> None:
            connection.execute(
                update(messages).values(deleted=True, deleted_at=0).where(messages.c.id >= 1)
            )

        await daemon.database.write(ages)
        await daemon.retention.purge()
        assert not daemon.files.path_of(unused).exists()
        assert daemon.files.path_of(kept).exists()
        assert daemon.files.path_of(waits).exists()
        await daemon.worker.stop()  # it must not go on with messages that are gone
        await daemon.database.write(purged)
        await daemon.retention.purge()
        assert not daemon.files.path_of(kept).exists()
        assert daemon.files.path_of(waits).exists()
