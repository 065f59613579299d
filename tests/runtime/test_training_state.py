"""A run's state in one file: what is written is read back to the bit, and a torn write leaves the one before."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidDataError, OutputWriteError
from whyrec.runtime import training_state
from whyrec.runtime.training_state import load_state, optimizer_tensors, restore_optimizer, save_state

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)


def tensor(seed: int) -> torch.Tensor:
    return torch.randn(3, 2, generator=torch.Generator().manual_seed(seed))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    parts = {
        "weights": {"layer.0.weight": tensor(0).T, "a/b": tensor(1)[:, 0]},
        "best": {"layer.0.weight": torch.tensor([float("nan"), float("inf"), -0.0])},
        "odd": {"step": torch.tensor(3.0), "half": tensor(2).bfloat16(), "ids": torch.arange(4)},
    }
    save_state(tmp_path / "new" / "state", parts=parts, record={"step": 3, "looks": [{"loss": 0.1}], "name": "é"})
    found, record = load_state(tmp_path / "new" / "state")
    assert record == {"step": 3, "looks": [{"loss": 0.1}], "name": "é"}
    assert found.keys() == parts.keys()
    for part, tensors in parts.items():
        assert found[part].keys() == tensors.keys()
        for name, written in tensors.items():
            assert found[part][name].dtype == written.dtype
            torch.testing.assert_close(found[part][name], written, rtol=0, atol=0, equal_nan=True)


@given(st.dictionaries(names, st.floats(allow_nan=False) | st.integers() | st.text(max_size=5) | st.none()))
def test_records_are_any_json(record: dict[str, object]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as directory:
        save_state(Path(directory) / "s", parts={}, record=record)
        assert load_state(Path(directory) / "s") == ({}, record)


def test_not_a_number_in_a_record_is_read_back(tmp_path: Path) -> None:
    save_state(tmp_path / "s", parts={}, record={"validation": float("nan")})
    assert load_state(tmp_path / "s")[1]["validation"] != load_state(tmp_path / "s")[1]["validation"]


def test_a_write_that_fails_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_state(tmp_path / "s", parts={"w": {"a": tensor(0)}}, record={"step": 1})

    def torn(tensors: Any, path: Path, **_: Any) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(training_state, "save_file", torn)
    with pytest.raises(OutputWriteError, match="disk full"):
        save_state(tmp_path / "s", parts={"w": {"a": tensor(1)}}, record={"step": 2})
    parts, record = load_state(tmp_path / "s")
    assert record == {"step": 1}
    assert torch.equal(parts["w"]["a"], tensor(0))
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\x08\0\0\0\0\0\0\0{}      "])
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(InvalidDataError, match=r"s: expected the state of a training run, got none .* Remove it"):
        load_state(tmp_path / "s")
    with pytest.raises(InvalidDataError, match="absent: expected the state"):
        load_state(tmp_path / "absent")


def test_a_half_written_file_is_refused(tmp_path: Path) -> None:
    save_state(tmp_path / "s", parts={"w": {"a": torch.ones(100)}}, record={})
    whole = (tmp_path / "s").read_bytes()
    (tmp_path / "s").write_bytes(whole[:-100])
    with pytest.raises(InvalidDataError, match="expected the state"):
        load_state(tmp_path / "s")


def steps(optimizer: torch.optim.Optimizer, parameters: list[torch.Tensor], *, first: int, last: int) -> None:
    for step in range(first, last):
        for parameter in parameters:
            parameter.grad = torch.full_like(parameter, 0.1 * (step + 1))
        optimizer.step()


def fresh() -> tuple[torch.optim.Optimizer, list[torch.Tensor]]:
    parameters = [tensor(0).requires_grad_(True), tensor(1).bfloat16().requires_grad_(True)]
    return torch.optim.AdamW(parameters, lr=0.1, weight_decay=0.01), parameters


def test_an_optimiser_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole, of_whole = fresh()
    steps(whole, of_whole, first=0, last=6)
    stopped, of_stopped = fresh()
    steps(stopped, of_stopped, first=0, last=3)
    saved = {str(place): parameter.detach().clone() for place, parameter in enumerate(of_stopped)}
    save_state(tmp_path / "s", parts={"optimizer": optimizer_tensors(stopped), "weights": saved}, record={})
    parts, _ = load_state(tmp_path / "s")
    resumed, of_resumed = fresh()
    forgetful, of_forgetful = fresh()
    with torch.no_grad():
        for parameters in (of_resumed, of_forgetful):
            for place, parameter in enumerate(parameters):
                parameter.copy_(parts["weights"][str(place)])
    restore_optimizer(resumed, parts["optimizer"])
    for optimizer, parameters in ((resumed, of_resumed), (forgetful, of_forgetful)):
        steps(optimizer, parameters, first=3, last=6)
    assert all(torch.equal(found, expected) for found, expected in zip(of_resumed, of_whole, strict=True))
    assert not torch.equal(of_forgetful[0], of_whole[0])


def test_an_optimiser_that_has_not_stepped_has_nothing_to_keep() -> None:
    optimizer, _ = fresh()
    assert optimizer_tensors(optimizer) == {}
    restore_optimizer(optimizer, {})
    assert optimizer.state_dict()["state"] == {}
