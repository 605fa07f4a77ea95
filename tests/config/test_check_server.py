"""`palaverd config check` finds what keeps a daemon from starting, and explains it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from palaverd.cli.main import main
from support.certificates import Authority


def check(folder: Path, said: str) -> Result:
    path = folder / "config.toml"
    path.write_text(f"[server]\n{said}\n")
    return CliRunner().invoke(main, ["config", "check", "--config", str(path)])


def with_certificate(folder: Path, key: Path | None = None) -> str:
    certificate, its_key = Authority(folder).issue()
    return f'tls_cert = "{certificate}"\ntls_key = "{key or its_key}"'


def test_a_server_with_a_certificate_is_fine(tmp_path: Path) -> None:
    result = check(
        tmp_path, 'listen = ["0.0.0.0:7777", "[::]:7777"]\n' + with_certificate(tmp_path)
    )
    assert result.exit_code == 0
    assert 'listen = ["0.0.0.0:7777","[::]:7777"]' in result.stdout
    assert "could read along" not in result.output


def test_others_without_a_certificate_are_spoken_of_and_this_machine_is_not(tmp_path: Path) -> None:
    result = check(tmp_path, 'listen = ["0.0.0.0:7777", "127.0.0.1:7777"]')
    assert result.exit_code == 0  # --allow-plaintext may be given later
    assert "On 0.0.0.0:7777 others could read along" in result.stderr
    assert "On 127.0.0.1:7777" not in result.stderr


def test_what_cannot_be_served_is_an_error(tmp_path: Path) -> None:
    for said, told in {
        'listen = ["7777"]': 'server.listen: "7777" has no port',
        'listen = "7777"': 'server.listen is "7777": it must be a list',
        'tls_cert = "/c.pem"': "server.tls_key is missing",
        'tls_key = "/c.key"': "server.tls_cert is missing",
        'tls_cert = "/no/c.pem"\ntls_key = "/no/c.key"': "There is no certificate at /no/c.pem",
        with_certificate(tmp_path, Authority(tmp_path).issue(called="x")[1]): "is not the one of",
    }.items():
        result = check(tmp_path, said)
        assert (result.exit_code, told in result.stderr) == (1, True), (said, result.output)
