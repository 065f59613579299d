"""Pattern and reason in one answer, after an interaction (CURec Eq. (14)): what is asked, kept and refused."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from curec_camps import fitted
from curec_texts import at, history, pattern

from contracts.recommender import UNTIL, checkerboard
from whyrec.data.dataset import Dataset
from whyrec.data.item_lines import ItemText
from whyrec.errors import UnknownIdError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import Interaction
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.model_writers import LanguageModelUpdateWriter
from whyrec.methods.curec.reasons import ReasonRequest

ITEMS = {f"i{n}": ItemText(f"i{n}", f"Title {n}", {"genre": "war"}) for n in range(4)} | {
    "silent": ItemText("silent", "")
}
WANTED = '{"pattern": ["war", "mud"], "reason": "It has war."}'


def request(item_id: str, *, hours: float = 9) -> ReasonRequest:
    known = history("u0", ("i3", 0), ("i2", 1))
    return ReasonRequest(Interaction("u0", item_id, at(hours)), known, pattern("u0", 0, text="- gold"))


def test_an_update_is_asked_with_the_pattern_before_and_may_be_read_only_after() -> None:
    backend = ScriptedBackend([WANTED])
    written = LanguageModelUpdateWriter(LanguageModel(backend), ITEMS).write_updates([request("i0")])
    assert written == [
        (
            Pattern("u0", 2 + 1, at(9), "- war\n- mud", "scripted"),
            Reason("i0", "u0", at(9), "It has war.", "scripted"),
        )
    ]
    asked = backend.asked[0].messages[-1].content
    assert "gold" in asked
    assert "Title 0" in asked
    assert "Title 2" not in asked, "the pattern stands for the history"


def test_what_is_no_update_is_left_out_and_counted() -> None:
    said = {"0": WANTED, "1": "It has war.", "2": "war " * 99, "3": " "}
    backend = ScriptedBackend(lambda prompt: said[prompt.messages[-1].content.rsplit("Title ", 1)[1][0]])
    writer = LanguageModelUpdateWriter(LanguageModel(backend), ITEMS, sampling=SamplingConfig(max_tokens=70))
    written = writer.write_updates([request(item_id) for item_id in ("i1", "i0", "silent", "i2", "i3")])
    assert [reason.item_id for _, reason in written] == ["i0"]
    assert writer.failures == {"form": 1, "no text": 1, "cut": 1, "empty": 1}
    assert len(backend.asked) == 4, "nobody is asked about an item of which nothing is known"
    with pytest.raises(UnknownIdError, match="expected an item of the catalogue, got 'i9'"):
        writer.write_updates([request("i9")])


# In a recommender


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def shared(data: Dataset) -> CURecRecommender:
    return fitted(data)


@pytest.fixture
def recommender(shared: CURecRecommender, tmp_path: Path) -> CURecRecommender:
    shared.save(tmp_path / "own")
    return CURecRecommender.load(tmp_path / "own")


def asked_for_update(prompt: Prompt) -> bool:
    return "JSON" in prompt.messages[0].content


def model_that(says: str) -> tuple[LanguageModel, ScriptedBackend]:
    """Answers updates, each pattern with its number, and nothing else."""
    counter = iter(range(100))

    def answer(prompt: Prompt) -> str:
        return says.replace("#", f"wave {next(counter)}") if asked_for_update(prompt) else ""

    backend = ScriptedBackend(answer)
    return LanguageModel(backend), backend


def texts(recommender: CURecRecommender, kind: str, user_id: str) -> pl.DataFrame:
    frame: pl.DataFrame = getattr(recommender.served_, kind).frame
    return frame.filter(user_id=user_id, writer="scripted")


def new(user_id: str, *days: int) -> list[Interaction]:
    return [Interaction(user_id, f"b0{n}", UNTIL + timedelta(days=day)) for n, day in enumerate(days)]


UPDATE = '{"pattern": ["#"], "reason": "It has waves."}'


def test_patterns_follow_interactions_one_by_one(recommender: CURecRecommender, data: Dataset) -> None:
    recommender.language_model, backend = model_that(UPDATE)
    recommender.update(data, new("A00", 1, 2, 3))
    updates = [prompt.messages[-1].content for prompt in backend.asked if asked_for_update(prompt)]
    assert len(updates) == 3
    assert "wave" not in updates[0]
    assert "wave 0" in updates[1]
    assert "wave 1" in updates[2]
    assert texts(recommender, "reasons", "A00")["text"].to_list() == ["It has waves."] * 3
    [last] = texts(recommender, "patterns", "A00").to_dicts()
    n = data.interactions.filter(pl.col("user_id") == "A00").collect().height
    assert (last["text"], last["until"], last["n_items"]) == ("- wave 2", UNTIL + timedelta(days=3), n + 3)


def test_of_one_moment_the_first_writes_the_pattern(recommender: CURecRecommender, data: Dataset) -> None:
    recommender.language_model, backend = model_that(UPDATE)
    recommender.update(data, new("A00", 1, 1))
    assert sum(map(asked_for_update, backend.asked)) == 1
    assert recommender.served_ is not None
    told = recommender.served_.reasons.frame.filter(pl.col("timestamp") == UNTIL + timedelta(days=1))
    assert dict(told.select("item_id", "writer").iter_rows()) == {"b00": "scripted", "b01": "offline"}


def test_what_comes_late_moves_no_pattern(recommender: CURecRecommender, data: Dataset) -> None:
    recommender.language_model, _ = model_that(UPDATE)
    late, soon = new("A00", 1, 9)
    recommender.update(data, [soon])
    before = texts(recommender, "patterns", "A00")
    recommender.update(data, [late])
    assert texts(recommender, "patterns", "A00").equals(before)


def test_a_model_that_fails_and_a_user_without_a_pattern_are_left_to_the_offline_writer(
    recommender: CURecRecommender, data: Dataset
) -> None:
    recommender.language_model, backend = model_that("no update")
    recommender.update(data, [*new("A00", 1), *new("newly here", 1, 2)])
    assert sum(map(asked_for_update, backend.asked)) == 1
    assert recommender.served_ is not None
    told = recommender.served_.reasons.frame.filter(pl.col("timestamp") >= UNTIL)
    assert set(told.select("user_id", "writer").iter_rows()) == {("A00", "offline"), ("newly here", "offline")}
    assert recommender.served_.patterns.latest("newly here", before=UNTIL + timedelta(days=9)) is not None
