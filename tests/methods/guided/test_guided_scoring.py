"""Scores by a language model: written ones from a script, likely ones from a small real model; their spread."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from guided_films import ASPECTS, FILMS, at
from hypothesis import given
from hypothesis import strategies as st

from llm.tiny_model import build_tiny_model
from whyrec.data.item_lines import ItemText, item_texts
from whyrec.data.reviews import Review
from whyrec.errors import InvalidDataError, UnknownIdError
from whyrec.llm.base import Message, Prompt
from whyrec.llm.choices import number_probabilities
from whyrec.llm.local import LocalBackend
from whyrec.llm.local.likely import likely_numbers
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.guided.answers import answer_text
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import LEVELS
from whyrec.methods.guided.prompts import item_prompt
from whyrec.methods.guided.reviews import UserReviews
from whyrec.methods.guided.scoring import ModelScorer, expected_levels, slot_probabilities
from whyrec.methods.guided.spread import collapsed, spread_of

ITEMS = item_texts(FILMS)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> LocalBackend:
    """Untrained: what it says means nothing, the path is what is tested."""
    return LocalBackend.open(build_tiny_model(tmp_path_factory.mktemp("models") / "tiny", steps=0))


def scores(values: object, *, aspects: tuple[str, ...] = ASPECTS.keys) -> AspectScores:
    array = np.array(values, dtype=np.float32)
    return AspectScores.of("items", [f"i{n}" for n in range(len(array))], array, aspects=aspects, writer="m")


def test_written_numbers_are_kept_and_failures_have_none() -> None:
    answers = {"Calm": answer_text(ASPECTS, (2, 3)), "Killer": "I do not know.", "Castle": answer_text(ASPECTS, (5, 1))}

    def script(prompt: Prompt) -> str:
        return next(answer for word, answer in answers.items() if word in prompt.messages[-1].content)

    items = ITEMS | {"d": ItemText("d", "")}
    found = ModelScorer(LanguageModel(ScriptedBackend(script)), ASPECTS, items).score_items(["a", "b", "c", "d"])
    assert found.scores.ids.to_list() == ["a", "c"]
    assert found.scores.values.tolist() == [[2, 3], [5, 1]]
    assert (found.scores.writer, found.scores.side) == ("scripted", "items")
    assert found.failures == {"nothing known": 1, "form": 1}
    assert [it.doubt for it in found.spread] == [None, None]


def test_users_without_a_review_are_not_asked_about() -> None:
    backend = ScriptedBackend([answer_text(ASPECTS, (9, 9))])
    users = {"u": UserReviews("u", at(9), (Review("a", at(1)),)), "v": UserReviews("v", at(9))}
    found = ModelScorer(LanguageModel(backend), ASPECTS, ITEMS).score_users(users)
    assert (found.scores.ids.to_list(), found.scores.side, found.failures) == (["u"], "users", {"nothing known": 1})


def test_no_readable_answer_gives_no_scores() -> None:
    found = ModelScorer(LanguageModel(ScriptedBackend(["?"])), ASPECTS, ITEMS).score_items(["a"])
    assert (len(found.scores), found.spread, found.failures) == (0, (), {"form": 1})


def test_an_unknown_item_is_named() -> None:
    with pytest.raises(UnknownIdError, match="got 'z'"):
        ModelScorer(LanguageModel(ScriptedBackend([])), ASPECTS, ITEMS).score_items(["a", "z"])


def test_likely_scores_are_the_models_own_means(backend: LocalBackend) -> None:
    """The second aspect is read behind the first one's nearest whole number."""
    prompts = [Prompt(item_prompt(ASPECTS, ITEMS[item].line(max_chars=200))) for item in "ab"]
    likely = slot_probabilities(backend, prompts, aspects=ASPECTS)
    assert likely.shape == (2, 2, 10)
    np.testing.assert_allclose(likely.sum(axis=2), 1)
    for row, prompt in zip(likely, prompts, strict=True):
        begun = ""
        for place, name in enumerate(ASPECTS.names):
            begun += f"{name}: "
            (text,) = backend.texts([Prompt((*prompt.messages, Message("assistant", begun)))])
            expected = number_probabilities(backend.model, backend.tokenizer, [text], numbers=LEVELS)[0]
            np.testing.assert_allclose(row[place], expected, atol=1e-6)
            begun += f"{round(float(row[place] @ np.arange(1, 11)))}\n"


def test_a_local_models_scores_are_read_not_sampled(backend: LocalBackend) -> None:
    scorer = ModelScorer(LanguageModel(backend), ASPECTS, ITEMS)
    found = scorer.score_items(["a", "b", "c"])
    assert found.scores.ids.to_list() == ["a", "b", "c"]
    assert not np.allclose(found.scores.values, np.rint(found.scores.values)), "means need not be whole"
    assert all(0 < (it.doubt or 0) <= 1 for it in found.spread)
    again = scorer.score_items(["c"])
    np.testing.assert_allclose(again.scores.values, found.scores.values[2:], atol=1e-4)


def test_what_was_found_likely_is_not_asked_again(
    backend: LocalBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the second aspect; the first is kept, and other questions are another file."""
    scorer = ModelScorer(LanguageModel(backend), ASPECTS, ITEMS, kept=tmp_path / "state")
    whole = ModelScorer(LanguageModel(backend), ASPECTS, ITEMS).score_items(["a", "b"])
    asked: list[str] = []

    def counted(*arguments: object, begun: list[str], **settings: object) -> np.ndarray:
        asked.append(begun[0])
        if len(asked) == 2:
            raise KeyboardInterrupt
        found: np.ndarray = likely_numbers(*arguments, begun=begun, **settings)  # type: ignore[arg-type]
        return found

    monkeypatch.setattr("whyrec.llm.local.likely.likely_numbers", counted)
    with pytest.raises(KeyboardInterrupt):
        scorer.score_items(["a", "b"])
    found = scorer.score_items(["a", "b"])
    assert asked[2:] == asked[1:2], "the second aspect alone, with the first one's number before it"
    np.testing.assert_array_equal(found.scores.values, whole.scores.values)
    assert found.spread == whole.spread
    scorer.score_items(["c"])
    assert len(asked) == 3 + len(ASPECTS.keys)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_model_that_is_made_to_keep_the_form_always_does(backend: LocalBackend) -> None:
    """G18: with constrained decoding even an untrained model's answers can be read."""
    scorer = ModelScorer(LanguageModel(backend), ASPECTS, ITEMS, reads_probabilities=False)
    found = scorer.score_items(["a", "b"])
    assert (len(found.scores), dict(found.failures)) == (2, {})
    np.testing.assert_array_equal(found.scores.values, np.rint(found.scores.values))


@given(st.lists(st.floats(0.001, 1), min_size=10, max_size=10))
def test_means_stay_on_the_scale(weights: list[float]) -> None:
    row = np.array([weights]) / np.sum(weights)
    assert 1 <= expected_levels(row)[0] <= 10
    assert expected_levels(np.eye(10)).tolist() == list(range(1, 11))


def test_spread_by_hand() -> None:
    """7 and 8 equally often: mean 7.5, deviation .5, entropy log 2 / log 10; 1 and 10 three to one."""
    first, second = spread_of(scores([[7, 1], [8, 1], [7, 1], [8, 10]]))
    assert (first.mean, first.std, first.commonest, first.commonest_share) == (7.5, 0.5, 7, 0.5)
    assert first.entropy == pytest.approx(math.log(2) / math.log(10))
    assert (second.commonest, second.commonest_share) == (1, 0.75)
    assert second.std == pytest.approx(9 * math.sqrt(3) / 4)


def test_the_alarm_sounds_for_sevens_and_eights_and_not_for_a_bell() -> None:
    bell = np.clip(np.random.default_rng(0).normal(5.5, 1, 500), 1, 10)
    sevens = 7 + np.arange(500) % 2
    still = 7.5 + np.linspace(-0.05, 0.05, 500)
    found = collapsed(spread_of(scores(np.stack([bell, sevens, still], axis=1), aspects=("bell", "sevens", "still"))))
    assert [line.partition(":")[0] for line in found] == ["sevens", "still"]
    assert found[0] == "sevens: 50% of scores are nearest to 7, entropy 0.30, deviation 0.50 points"


def test_doubt_is_the_entropy_of_the_models_own_distributions() -> None:
    likely = np.zeros((1, 2, 10))
    likely[0, 0, 4] = 1
    likely[0, 1] = 0.1
    sure, unsure = spread_of(scores([[5, 5.5]]), likely=likely)
    assert (sure.doubt, unsure.doubt) == (0, pytest.approx(1))


def test_scores_are_written_and_read(tmp_path: Path) -> None:
    before = scores([[1.5, 10], [2.25, 1]])
    before.write(tmp_path / "scores.parquet")
    after = AspectScores.read(tmp_path / "scores.parquet")
    assert (after.ids.to_list(), after.aspects, after.side, after.writer) == (["i0", "i1"], ASPECTS.keys, "items", "m")
    np.testing.assert_array_equal(after.values, before.values)
    (tmp_path / "other.parquet").write_bytes(b"no")
    FILMS.write_parquet(tmp_path / "films.parquet")
    for name, told in (("other", "cannot be read"), ("films", "got another Parquet file"), ("none", "cannot be read")):
        with pytest.raises(InvalidDataError, match=told):
            AspectScores.read(tmp_path / f"{name}.parquet")


TOLD = '{"format_version": 1, "side": "items", "writer": "m"}'


@pytest.mark.parametrize(
    ("columns", "described", "told"),
    [
        ({"id": ["a"], "era": ["x"]}, TOLD, r"scores\.parquet, era: expected numbers, got String"),
        ({"era": [1.0]}, TOLD, r"scores\.parquet, id: expected a text in every row, got none"),
        ({"id": [7], "era": [1.0]}, TOLD, "id: expected a text in every row, got Int64"),
        ({"id": ["a", None], "era": [1.0, 2]}, TOLD, "id: expected a text in every row, got an empty one"),
        ({"id": ["a"], "era": [None]}, TOLD, "era: expected numbers, got Null"),
        ({"id": ["a"], "era": [1.0]}, "no JSON", "with its format_version, side and writer, got 'no JSON'"),
        ({"id": ["a"], "era": [1.0]}, "[]", r"with its format_version, side and writer, got '\[\]'"),
        ({"id": ["a"], "era": [1.0]}, TOLD.replace("items", "shops"), "with its format_version, side and writer"),
        ({"id": ["a"], "era": [1.0]}, TOLD.replace("1", "9"), "format_version at most 1, got 9. Upgrade"),
    ],
)
def test_damaged_files_of_scores_are_refused_in_one_line(
    tmp_path: Path, columns: dict[str, list[object]], described: str, told: str
) -> None:
    path = tmp_path / "scores.parquet"
    pl.DataFrame(columns).write_parquet(path, metadata={"whyrec.aspect_scores": described})
    with pytest.raises(InvalidDataError, match=told) as caught:
        AspectScores.read(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([[1, 0.5]], "'i0', era: expected a number from 1 to 10, got 0.5"),
        ([[math.nan, 2]], "'i0', tension: expected a number from 1 to 10, got nan"),
        ([[1, 10.5]], "got 10.5"),
    ],
)
def test_numbers_beyond_the_scale_are_refused(values: object, told: str) -> None:
    with pytest.raises(InvalidDataError, match=told):
        scores(values)


def test_rows_are_found_by_id_and_aspects_by_key() -> None:
    found = scores([[1, 2], [3, 4]])
    rows = found.rows_of(["i1", "x", "i0"])
    assert rows[[0, 2]].tolist() == [[3, 4], [1, 2]]
    assert np.isnan(rows[1]).all()
    assert found.chosen(["era"]).values.tolist() == [[2], [4]]
    with pytest.raises(InvalidDataError, match="expected aspects of tension, era, got 'pace'"):
        found.chosen(["pace"])
    with pytest.raises(InvalidDataError, match="got 'a' twice"):
        AspectScores.of("items", ["a", "a"], np.ones((2, 2)), aspects=ASPECTS.keys, writer="m")
