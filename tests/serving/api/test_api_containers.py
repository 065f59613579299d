"""Dockerfile and compose.yaml: the files and commands that they name are there."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from whyrec.cli.main import application
from whyrec.serving.store.database import Database

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def options_of_serve() -> set[str]:
    shown = CliRunner().invoke(application(["serve"]), ["serve", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    return set(re.findall(r"--[a-z][a-z-]+", shown.output))


def test_what_is_copied_is_there_and_not_ignored(dockerfile: str) -> None:
    copied = [name for line in re.findall(r"^COPY (.+)$", dockerfile, re.MULTILINE) for name in line.split()[:-1]]
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert set(copied) == {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "src"}
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in kept, name


def test_the_image_runs_a_command_that_exists_as_nobody_special(dockerfile: str) -> None:
    (command,) = re.findall(r"^CMD (\[.+\])$", dockerfile, re.MULTILINE)
    words = yaml.safe_load(command)
    assert words[0] == "serve"
    assert {word for word in words if word.startswith("--")} <= options_of_serve()
    assert re.findall(r"^USER (\w+)$", dockerfile, re.MULTILINE) == ["whyrec"]
    assert "--key-file" in words


def test_the_same_python_as_the_package_asks_for(dockerfile: str) -> None:
    assert "FROM python:3.11-slim" in dockerfile
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_services_name_what_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"database", "server"}
    server = compose["services"]["server"]
    assert (ROOT / server["build"] / "Dockerfile").is_file()
    assert server["command"][0] == "serve"
    assert {word for word in server["command"] if word.startswith("--")} <= options_of_serve()
    for service in compose["services"].values():
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert service["restart"] == "unless-stopped"
    assert "healthcheck" in compose["services"]["database"]
    assert server["depends_on"]["database"]["condition"] == "service_healthy"


def test_the_store_of_the_server_is_the_database_beside_it(compose: dict[str, Any]) -> None:
    command = compose["services"]["server"]["command"]
    url = Database(command[command.index("--store") + 1]).url
    settings = compose["services"]["database"]["environment"]
    assert (url.host, url.username, url.database) == ("database", settings["POSTGRES_USER"], settings["POSTGRES_DB"])
    assert url.password is None


def test_no_secret_is_in_the_repository_and_nothing_is_open_to_the_network(compose: dict[str, Any]) -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("secrets/")
    assert "/secrets/" in ignored
    assert compose["services"]["server"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in compose["services"]["database"]
