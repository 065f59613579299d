from pathlib import Path

import pytest

from whyrec.errors import OutputExistsError
from whyrec.serving.demo_folder import REPORT, replacing, require_replaceable


def write(directory: Path, text: str) -> None:
    with replacing(directory) as staged:
        (staged / REPORT).write_text(text, "utf-8")


def test_a_demo_takes_the_place_of_the_last(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    for text in ("first", "second", "third"):
        write(directory, text)
        assert (directory / REPORT).read_text("utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_failure_leaves_the_last_demo_standing(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    write(directory, "first")
    with pytest.raises(TypeError):
        write(directory, None)  # type: ignore[arg-type]  # fails in the middle of the write
    assert (directory / REPORT).read_text("utf-8") == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputExistsError, match="found something else"):
        require_replaceable(tmp_path / "file")
    forged = tmp_path / "forged"
    forged.mkdir()
    require_replaceable(forged)
    (forged / "demo.json").write_text('{"written_by": "me"}', "utf-8")
    with pytest.raises(OutputExistsError, match="found something else"):
        require_replaceable(forged)
    write(tmp_path / "demo", "first")
    (tmp_path / "demo" / "notes.txt").touch()
    with pytest.raises(OutputExistsError, match=r"found 'notes\.txt' beside it"):
        write(tmp_path / "demo", "second")
