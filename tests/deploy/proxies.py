"""Run the installed Caddy and nginx with the files of docs/deploy."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from deploy.units import DEPLOY
from support.certificates import Authority
from support.clock import PATIENCE_S
from support.sshd import free_port

Name = Literal["caddy", "nginx"]
NAME = "palaver.example.com"  # in both files
# Only names and paths of the Caddyfile are changed. The options before it keep the proxy to itself:
# no port 80, no administration port.
CADDY_APART = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
# The settings of Debian's own nginx.conf, with paths for this user.
NGINX_AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {site};
}}
"""


@asynccontextmanager
async def proxy(name: Name, folder: Path, authority: Authority, to: int) -> AsyncIterator[str]:
    """Run a proxy in front of port `to` of this machine; yields its URL."""
    port = free_port()
    certificate, key = authority.issue("127.0.0.1", NAME, called=name)
    replaced = {
        "/etc/palaver/tls.pem": str(certificate),
        "/etc/palaver/tls.key": str(key),
        "127.0.0.1:7777": f"127.0.0.1:{to}",
    }
    make = _caddy if name == "caddy" else _nginx
    process = await asyncio.create_subprocess_exec(
        *make(folder, port, replaced),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _listens(port):
                assert process.returncode is None, f"{name} ended"
                await asyncio.sleep(0.02)
        yield f"https://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _caddy(folder: Path, port: int, replaced: Mapping[str, str]) -> list[str]:
    own = {
        f"\n{NAME} {{": f"\nhttps://127.0.0.1:{port}, https://{NAME}:{port} {{",
        "# tls /etc": "tls /etc",
    }
    text = _replaced((DEPLOY / "Caddyfile").read_text(encoding="utf-8"), {**own, **replaced})
    (folder / "Caddyfile").write_text(CADDY_APART + text)
    return [_program("caddy"), "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


def _nginx(folder: Path, port: int, replaced: Mapping[str, str]) -> list[str]:
    own = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen [::]:443 ssl": f"listen [::1]:{port} ssl",
    }
    site = folder / "palaver.conf"
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    if not Path("/proc/net/if_inet6").exists():  # a machine without IPv6
        own["listen [::]:443 ssl;"] = ""
        del own["listen [::]:443 ssl"]
    site.write_text(_replaced(text, {**own, **replaced}))
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(NGINX_AROUND.format(folder=folder, site=site, user=user))
    return [_program("nginx"), "-c", str(main), "-e", str(folder / "error.log")]


def _replaced(text: str, replaced: Mapping[str, str]) -> str:
    for theirs, ours in replaced.items():
        assert theirs in text, theirs
        text = text.replace(theirs, ours)
    return text


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found is not None
    return found
