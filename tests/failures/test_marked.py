"""A failed turn stays in history with its reason, whatever follows."""

from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.messages import Failure, Message, Text
from palaverd.simulator import Simulator
from support.chats import reaches
from support.daemon import running_daemon, short_dir, simulator_config


def told(messages: list[Message]) -> list[str]:
    """Return each message as a word, oldest first: a failure is its kind."""
    return [
        part.error.kind if isinstance(part, Failure) else message.role
        for message in reversed(messages)
        for part in message.parts
        if isinstance(part, Text | Failure)
    ]


async def test_a_failed_turn_stays_after_the_next_one_and_after_a_restart() -> None:
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url)
        async with (
            running_daemon(folder, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            chat_id = (await client.create_chat(CreateChat("[[401]] hello"))).chat.id
            error = (await reaches(client, chat_id, "error")).last_error
            assert error is not None
            await client.send(chat_id, SendMessage("[[echo]] again"))
            assert (await reaches(client, chat_id, "waiting")).last_error is None
        async with (
            running_daemon(folder, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            page = await client.messages(chat_id)
    assert told(page.messages) == ["user", "auth", "user", "assistant"]
    assert page.messages[-2].parts == [Failure(error)]
    # It is for users only: the model got the two questions.
    asked = str(simulator.requests[-1].body)
    assert "[[401]] hello" in asked
    assert "[[echo]] again" in asked
    assert error.message not in asked
