"""The Containerfile: its steps build a program that serves, with a health check that works."""

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
from asyncio.subprocess import DEVNULL, PIPE

import pytest

from deploy.answering import answers
from deploy.image import USER, Image
from palaver.client import Client, Endpoint
from palaverd.simulator import Simulator
from support.certificates import Authority
from support.clock import PATIENCE_S
from support.daemon import short_dir
from support.process import CONFIG, DaemonProcess, Process
from support.sshd import free_port
from support.tokens import make_token

pytestmark = pytest.mark.process


async def run(image: Image, *command: str) -> Process:
    """Start the image's command, with the image's environment only."""
    program, *arguments = [*image.entrypoint, *command]
    return await asyncio.create_subprocess_exec(
        *(str(image.root / "opt/palaver/bin" / program), *arguments),
        stdout=DEVNULL,
        stderr=PIPE,
        env=image.environment(),
        cwd=image.root,
    )


def is_healthy(image: Image) -> bool:
    """Run the image's health check."""
    command = [image.here(word) for word in image.health]
    return (
        subprocess.run(
            command, env=image.environment(), capture_output=True, timeout=PATIENCE_S, check=False
        ).returncode
        == 0
    )


async def test_the_image_serves_with_a_certificate_and_refuses_without() -> None:
    async with short_dir() as folder, Simulator() as simulator:
        image = Image(folder)
        await asyncio.to_thread(image.build)
        assert image.user == f"{USER}:{USER}"
        data_dir = image.root / "var/lib/palaver"
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        # No source is left in it.
        assert {path.name for path in image.root.iterdir()} == {"opt", "var", "etc"}

        refused = await run(image, *image.command)
        try:
            async with asyncio.timeout(PATIENCE_S):
                _, said = await refused.communicate()
        finally:
            if refused.returncode is None:
                refused.kill()
                await refused.wait()
        assert refused.returncode == 1
        assert b"tls_cert and tls_key" in said
        assert not await asyncio.to_thread(is_healthy, image)

        authority, port = Authority(folder), free_port()
        certificate, key = authority.issue()
        (image.root / "etc/palaver/config.toml").write_text(
            CONFIG.format(url=simulator.url)
            + f'[server]\ntls_cert = "{certificate}"\ntls_key = "{key}"\n'
        )
        command = [word.replace("0.0.0.0:7777", f"127.0.0.1:{port}") for word in image.command]
        assert command != image.command
        daemon = DaemonProcess(data_dir, await run(image, *command))
        reading = asyncio.create_task(daemon.read_log())
        try:
            await daemon.ready()
            assert await asyncio.to_thread(is_healthy, image)
            token = (await make_token(data_dir / "palaverd.sock")).secret
            there = Endpoint(f"https://127.0.0.1:{port}", token=token, ca_file=authority.file)
            async with Client(there) as client:
                await answers(client)
        finally:
            code = await daemon.end(signal.SIGTERM)
            await reading
            await daemon.client.close()
        assert code == 0, daemon.log
        assert not await asyncio.to_thread(is_healthy, image)
