"""The reason store: what may be read as of a moment by whom, what is refused, what is on disk, and who writes."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from curec_texts import ITEM_IDS, at, history, hours_history, micros, pattern, reason, reasons
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidConfigError, InvalidDataError, UnknownIdError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.embedding_model import EmbeddingModel
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.curec.artefacts import Reason
from whyrec.methods.curec.histories import Interaction, interactions_of
from whyrec.methods.curec.model_writers import LanguageModelReasonWriter
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonRequest, ReasonStore, reason_requests, write_reasons
from whyrec.methods.curec.store_files import write_table
from whyrec.methods.curec.text_vectors import open_embedder_beside

ITEMS = {f"i{n}": ItemText(f"i{n}", f"Title {n}") for n in range(4)} | {"silent": ItemText("silent", "")}
USERS = pl.Series(["u2", "nobody", "u0", "u1"])


def store_of(found: Sequence[Reason]) -> ReasonStore:
    return ReasonStore.of(found, item_ids=ITEM_IDS, user_ids=USERS)


def by_hand(
    found: Sequence[Reason], item_id: str, *, moment: datetime, without_user: str | None, k: int
) -> list[Reason]:
    """The highest versions, of equal ones the last; of these, strictly earlier ones of others, newest first."""
    kept: dict[tuple[str, str, datetime], tuple[int, int]] = {}
    for place, one in enumerate(found):
        key = (one.item_id, one.user_id, one.timestamp)
        kept[key] = max(kept.get(key, (-1, -1)), (one.version, place))
    places = sorted((place for _, place in kept.values()), key=lambda place: (found[place].timestamp, place))
    readable = [found[place] for place in reversed(places)]
    return [
        one for one in readable if one.item_id == item_id and one.timestamp < moment and one.user_id != without_user
    ][:k]


@given(found=reasons, k=st.integers(1, 5), hours=st.integers(0, 6), user_id=st.sampled_from([*USERS, "stranger", None]))
def test_what_is_read_is_what_a_search_by_hand_finds(
    found: list[Reason], k: int, hours: int, user_id: str | None
) -> None:
    store = store_of(found)
    expected = {item_id: by_hand(found, item_id, moment=at(hours), without_user=user_id, k=k) for item_id in ITEM_IDS}
    users = None if user_id is None else int(store.user_rows([user_id])[0])
    rows = store.rows_as_of(np.arange(4), at=micros(hours), users=users, k=k)
    assert rows.shape == (4, k)
    for item_id, line in zip(ITEM_IDS, rows, strict=True):
        assert store.as_of(item_id, at=at(hours), without_user=user_id, k=k) == expected[item_id]
        assert [found[row] for row in line if row >= 0] == expected[item_id]
        assert all(line[len(expected[item_id]) :] == -1), "only the end is filled up"


@given(found=reasons, asked=st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 6), st.integers(-1, 3)), max_size=8))
def test_each_row_has_its_own_item_moment_and_user(found: list[Reason], asked: list[tuple[int, int, int]]) -> None:
    store = store_of(found)
    items, hours, users = np.array(asked, dtype=np.int64).reshape(-1, 3).T
    times = np.array([micros(hour) for hour in hours.tolist()], dtype=np.int64)
    rows = store.rows_as_of(items, at=times, users=users, k=3)
    for (item, hour, user), line in zip(asked, rows, strict=True):
        alone = store.rows_as_of(np.array([item]), at=micros(hour), users=np.array([user]), k=3)
        assert line.tolist() == alone[0].tolist()
        assert item >= 0 or (line == -1).all()


@settings(max_examples=25)
@given(found=reasons, n=st.integers(0, 40))
def test_a_store_that_grew_is_one_that_was_made_at_once(found: list[Reason], n: int) -> None:
    whole = store_of(found)
    grown = store_of(found[:n]).append(found[n:])
    assert grown.reasons() == whole.reasons() == found
    everything = [(np.arange(4), hours, user) for hours in range(7) for user in (-1, 0, 2)]
    for items, hours, user in everything:
        first, second = (one.rows_as_of(items, at=micros(hours), users=user, k=4) for one in (grown, whole))
        assert first.tolist() == second.tolist()


def test_a_correction_replaces_what_it_corrects_and_nothing_else() -> None:
    store = store_of([reason("i0", "u0", 1), reason("i0", "u1", 2)])
    corrected = store.append([reason("i0", "u0", 1, version=1, text="Better.")])
    texts = [one.text for one in corrected.as_of("i0", at=at(9), without_user=None)]
    assert texts == ["War.", "Better."]
    assert [one.text for one in store.as_of("i0", at=at(9), without_user=None)] == ["War.", "War."]
    assert corrected.as_of("i0", at=at(2), without_user="u1")[0].text == "Better."


def test_a_user_who_took_an_item_twice_reads_neither_reason() -> None:
    store = store_of([reason("i0", "u0", 1), reason("i0", "u1", 2), reason("i0", "u0", 3)])
    assert [one.user_id for one in store.as_of("i0", at=at(9), without_user="u0", k=2)] == ["u1"]
    assert [one.user_id for one in store.as_of("i0", at=at(9), without_user="u1", k=2)] == ["u0", "u0"]


def test_new_users_get_numbers_behind_the_known() -> None:
    store = store_of([reason("i0", "stranger", 1)])
    assert store.user_ids.to_list() == [*USERS, "stranger"]
    grown = store.append([reason("i0", "newer", 1), reason("i0", "and newer", 1), reason("i0", "newer", 2)])
    assert grown.user_rows(["u0", "newer", "and newer", "x"]).tolist() == [2, 5, 6, -1]
    assert store.item_rows(["i3", "x"]).tolist() == [3, -1]


def test_a_key_that_stands_already_is_refused() -> None:
    store = store_of([reason("i0", "u0", 1)])
    expected = "reasons: expected each once, got two of item_id i0, user_id u0, timestamp 2020-01-01 01:00:00"
    with pytest.raises(InvalidDataError, match=expected):
        store.append([reason("i0", "u0", 1, text="Other.")])
    with pytest.raises(InvalidDataError, match=expected):
        store_of([reason("i0", "u0", 1), reason("i0", "u0", 1)])
    for other in (reason("i0", "u0", 2), reason("i0", "u0", 1, version=1), reason("i0", "u0", 1, writer="model")):
        assert len(store.append([other])) == 2


@pytest.mark.parametrize("text", ["", "\n", "half \ud83d"])
def test_a_reason_without_words_is_refused(text: str) -> None:
    with pytest.raises(InvalidDataError, match="text for user 'u0': expected words, got"):
        store_of([reason("i0", "u0", 1, text=text)])


def test_what_makes_no_sense_to_ask_is_refused() -> None:
    store = store_of([])
    with pytest.raises(UnknownIdError, match="expected an item of the catalogue, got 'gone'"):
        store.as_of("gone", at=at(1), without_user=None)
    with pytest.raises(InvalidConfigError, match="expected k of at least 1, got 0"):
        store.as_of("i0", at=at(1), without_user=None, k=0)
    with pytest.raises(InvalidDataError, match="got 2020-01-01T00:00:00 without a zone"):
        store.as_of("i0", at=datetime(2020, 1, 1), without_user=None)  # noqa: DTZ001
    assert store.as_of("i0", at=at(1), without_user=None) == []


def test_a_store_of_other_items_than_the_models_is_refused() -> None:
    expected = r"expected items of the model's catalogue \(2 items\), got 'i3' and 1 more reasons about others"
    with pytest.raises(InvalidDataError, match=expected):
        ReasonStore.of(
            [reason("i0", "u0", 1), reason("i3", "u0", 1), reason("i2", "u0", 2)], item_ids=pl.Series(["i0", "i1"])
        )
    store = store_of([])
    store.require_items(ITEM_IDS)
    with pytest.raises(InvalidDataError, match="expected a model of the store's items, got 'i1' for 'i0' at row 0"):
        store.require_items(ITEM_IDS.reverse().slice(2))
    for other, n in ((ITEM_IDS[:3], 3), (pl.Series([*ITEM_IDS, "i4"]), 5)):
        with pytest.raises(InvalidDataError, match=f"expected a model of the store's 4 items, got one of {n}"):
            store.require_items(other)


def test_a_store_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "reasons.parquet"
    store = store_of([reason("i1", "u0", 2, version=1), reason("i0", "stranger", 1, text="戦争映画。")])
    store.write(path)
    read = ReasonStore.read(path, item_ids=ITEM_IDS, user_ids=USERS)
    assert read.reasons() == store.reasons()
    assert read.user_ids.to_list() == store.user_ids.to_list()
    read.append([reason("i2", "u0", 3)]).write(path)
    assert len(ReasonStore.read(path, item_ids=ITEM_IDS)) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["reasons.parquet"]
    with pytest.raises(InvalidDataError, match="expected items of the model's catalogue"):
        ReasonStore.read(path, item_ids=pl.Series(["i0"]))


def test_files_that_are_no_store_are_refused_in_one_line(tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(InvalidDataError) as caught:
            ReasonStore.read(path, item_ids=ITEM_IDS)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
        return str(caught.value)

    assert "expected a file of reasons, got one that cannot be read" in refusal(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("no Parquet", encoding="utf-8")
    assert "got one that cannot be read" in refusal(tmp_path / "text.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    assert "expected a file of reasons, got a Parquet file of another origin" in refusal(tmp_path / "other.parquet")
    PatternBook.of([pattern("u0", 1)]).write(tmp_path / "patterns.parquet")
    assert "expected a file of reasons, got patterns" in refusal(tmp_path / "patterns.parquet")
    write_table(pl.DataFrame({"text": ["x"]}), tmp_path / "columns.parquet", kind="reasons")
    assert "expected the columns item_id, user_id, timestamp," in refusal(tmp_path / "columns.parquet")
    metadata = {"whyrec.kind": "reasons", "whyrec.format_version": "2"}
    store_of([]).frame.write_parquet(tmp_path / "newer.parquet", metadata=metadata)
    assert "expected format_version at most 1, got '2'. Upgrade whyrec." in refusal(tmp_path / "newer.parquet")
    whole = tmp_path / "whole.parquet"
    store_of([reason("i0", "u0", 1)]).write(whole)
    (tmp_path / "cut.parquet").write_bytes(whole.read_bytes()[:-40])
    assert "got one that cannot be read" in refusal(tmp_path / "cut.parquet")


class LengthEncoder:
    """A vector is the text's length; counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32).reshape(-1, 1)

    def encode(self, inputs: Sequence[str], **_: object) -> NDArray[np.float32]:
        return self.embed(inputs)


def test_equal_texts_are_embedded_once_in_whatever_language() -> None:
    texts = ["War.", "Gold!!", "War.", "戦争映画が好き。"]
    store = store_of([reason("i0", "u0", hour, text=text) for hour, text in enumerate(texts)])
    encoder = LengthEncoder()
    table = store.vectors(encoder)
    assert encoder.asked == ["War.", "Gold!!", "戦争映画が好き。"]
    assert table.vectors[table.places, 0].tolist() == [len(text) for text in texts]
    assert store_of([]).vectors(encoder).places.tolist() == []
    assert PatternBook.of([pattern("a", 1), pattern("b", 1)]).vectors(encoder).places.tolist() == [0, 0]


def test_vectors_lie_beside_the_texts_and_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = LengthEncoder()
    monkeypatch.setattr("whyrec.llm.embed.find_model", lambda name: EmbeddingModel(name, "1", tmp_path))
    monkeypatch.setattr("whyrec.llm.embed.load_encoder", lambda *_, **__: encoder)
    store = store_of([reason("i0", "u0", 1), reason("i0", "u1", 2, text="Krieg.")])
    for _ in range(2):
        with open_embedder_beside(tmp_path / "reasons.parquet") as embedder:
            assert store.vectors(embedder).vectors.tolist() == [[4.0], [6.0]]
    assert sorted(filter(None, encoder.asked)) == ["Krieg.", "War."]
    assert [file.name for file in tmp_path.iterdir()] == ["reasons.embeddings.sqlite"]


def test_a_request_holds_nothing_of_its_moment_or_later() -> None:
    taken = Interaction("u0", "i2", at(2))
    known = history("u0", ("i0", 0), ("i1", 1))
    ReasonRequest(taken, known, pattern("u0", 1))
    for until in (2, 3):
        with pytest.raises(InvalidDataError, match="expected a pattern that ends before, got one until 2020-01-01T0"):
            ReasonRequest(taken, known, pattern("u0", until))
        with pytest.raises(InvalidDataError, match="expected a history that ends before, got one until 2020-01-01T0"):
            ReasonRequest(taken, history("u0", ("i0", 0), ("i1", until)), None)
    with pytest.raises(InvalidDataError, match="expected a pattern of that user, got one of 'u1'"):
        ReasonRequest(taken, known, pattern("u1", 1))
    with pytest.raises(InvalidDataError, match="expected a history of that user, got one of 'u1'"):
        ReasonRequest(taken, history("u1"), None)


def test_requests_hold_what_was_known_before_and_come_once() -> None:
    histories = {"u0": history("u0", ("i0", 0), ("i1", 1), ("i2", 1), ("i3", 2)), "u1": history("u1", ("i0", 5))}
    book = PatternBook.of([pattern("u0", 1, n_items=3), pattern("u0", 0)])
    asked = list(interactions_of(histories))
    found = list(reason_requests([*asked, asked[0]], histories=histories, patterns=book))
    assert [request.interaction for request in found] == asked
    assert [len(request.history) for request in found] == [0, 1, 1, 3, 0]
    assert [request.pattern and request.pattern.n_items for request in found] == [None, 1, 1, 3, None]
    with pytest.raises(UnknownIdError, match="expected a user with a history, got 'u9'"):
        list(reason_requests([Interaction("u9", "i0", at(0))], histories=histories, patterns=book))


class Fallback:
    """Says which item it is about."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def write_reasons(self, requests: Sequence[ReasonRequest]) -> list[Reason]:
        self.sizes.append(len(requests))
        return [
            Reason(item_id, user_id, timestamp, f"About {item_id}.", "fallback")
            for user_id, item_id, timestamp in (request.interaction for request in reversed(requests))
        ]


def answers(prompt: Prompt) -> str:
    """By the target: a reason, one in another language, nothing, or one that does not end."""
    target = prompt.messages[1].content.rsplit("Title ", 1)[1][0]
    return {"0": "It has war.", "1": "<think>?</think>Потому что война.", "2": " ", "3": "war " * 99}[target]


def test_the_model_writes_what_it_can_and_the_fallback_the_rest() -> None:
    requests = [
        ReasonRequest(Interaction("u0", item_id, at(9)), history("u0", ("i3", 0)), pattern("u0", 0))
        for item_id in ("i0", "silent", "i1", "i2", "i3")
    ]
    backend = ScriptedBackend(answers)
    writer = LanguageModelReasonWriter(
        LanguageModel(backend), ITEMS, fallback=Fallback(), sampling=SamplingConfig(max_tokens=70)
    )
    written = writer.write_reasons(requests)
    assert [(one.item_id, one.text, one.writer) for one in written] == [
        ("i0", "It has war.", "scripted"),
        ("silent", "About silent.", "fallback"),
        ("i1", "Потому что война.", "scripted"),
        ("i2", "About i2.", "fallback"),
        ("i3", "About i3.", "fallback"),
    ]
    assert writer.failures == {"no text": 1, "empty": 1, "cut": 1}
    assert {(one.user_id, one.timestamp, one.version, one.verified) for one in written} == {("u0", at(9), 0, False)}
    assert len(backend.asked) == 4, "nobody is asked about an item of which nothing is known"
    alone = LanguageModelReasonWriter(LanguageModel(ScriptedBackend(answers)), ITEMS)
    assert [one.item_id for one in alone.write_reasons(requests)] == ["i0", "i1"]


def test_reasons_of_a_user_with_one_interaction_rest_on_nothing() -> None:
    backend = ScriptedBackend(["It is new to you."])
    alone = {"u0": history("u0", ("i0", 3))}
    written = list(
        write_reasons(
            interactions_of(alone),
            LanguageModelReasonWriter(LanguageModel(backend), ITEMS),
            histories=alone,
            patterns=PatternBook.of([pattern("u0", 3)]),
        )
    )
    assert written == [Reason("i0", "u0", at(3), "It is new to you.", "scripted")]
    asked = backend.asked[0].messages[1].content
    assert "<pattern>\nnone yet\n</pattern>\n<history>\nnone yet\n</history>" in asked


def test_a_writer_is_handed_few_interactions_at_a_time() -> None:
    histories = {"u0": hours_history(range(7))}
    fallback = Fallback()
    written = write_reasons(
        interactions_of(histories), fallback, histories=histories, patterns=PatternBook.of([]), version=3, at_once=3
    )
    assert {one.version for one in written} == {3}
    assert fallback.sizes == [3, 3, 1]


def test_the_file_holds_no_more_than_the_columns_that_are_named(tmp_path: Path) -> None:
    store_of([reason("i0", "u0", 1)]).write(tmp_path / "reasons.parquet")
    row = pl.read_parquet(tmp_path / "reasons.parquet").to_dicts()[0]
    assert json.loads(json.dumps(row, default=str)) == {
        "item_id": "i0",
        "user_id": "u0",
        "timestamp": "2020-01-01 01:00:00+00:00",
        "text": "War.",
        "writer": "test",
        "version": 0,
        "verified": False,
    }
