"""GER as a recommender: exact parts, reasons that hold, lists that are shifted, other sources of scores, and leaks."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from guided_camps import CAMP_ASPECTS, CampWords, camp_config, camp_recommender
from polars.testing import assert_frame_equal

from contracts.recommender import NEVER_SEEN, NEWCOMER, STRANGER, UNTIL, USERS, checkerboard, with_events
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError, UnknownIdError
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.explaining import AspectPart, ExplainedScore, named_parts
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.guided.normalising import Normalisation
from whyrec.methods.guided.refine import GuidedEncoder

USER = "A00"
VARIANTS: dict[str, dict[str, object]] = {
    "logit": {},
    "learnt match": {"match_strength": 2.0},
    "item": {"user_side": "item"},
    "concat and distance": {"user_side": "concat", "matching": "distance", "learns_weight": True},
    "bert4rec": {"encoder": "bert4rec"},
    "gru4rec": {"encoder": "gru4rec"},
    "gru4rec_plus": {"encoder": "gru4rec_plus", "matching": "distance"},
}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def fitted(data: Dataset) -> GuidedRecommender:
    return camp_recommender().fit(data, until=UNTIL)


def why(recommender: GuidedRecommender, data: Dataset, *, item_id: str, **asked: Any) -> ExplainedScore:
    """The reason for one item."""
    [entry] = recommender.explain(data, item_ids=[item_id], **asked)
    return entry


def scores_of(data: Dataset, recommender: GuidedRecommender, user_id: str = USER) -> dict[str, float]:
    lists = recommender.recommend(data, user_ids=[user_id], k=100, filter_seen=False, at=UNTIL)
    return dict(lists.select("item_id", "score").iter_rows())


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_parts_sum_to_the_score_and_pushes_to_what_it_has_beyond_the_mean(
    data: Dataset, changes: dict[str, object]
) -> None:
    short = {"training": {**camp_config().training.model_dump(), "epochs": 3}}
    recommender = camp_recommender(**{**short, **changes}).fit(data, until=UNTIL)
    scores = scores_of(data, recommender)
    told = recommender.explain(data, user_id=USER, item_ids=list(scores), at=UNTIL)
    for it in told:
        assert it.score == pytest.approx(scores[it.explanation.item_id], abs=1e-5)
        assert it.base + sum(part.part for part in it.aspects) == pytest.approx(it.score, abs=1e-4)
        pushes = it.base_push + sum(part.push for part in it.aspects)
        assert it.mean_score + pushes == pytest.approx(it.score, abs=1e-4)
    assert told[0].mean_score == pytest.approx(np.mean(list(scores.values())), abs=1e-4)
    assert max(abs(part.push) for it in told for part in it.aspects) > 1e-4, "aspects do something"


def test_training_leaves_the_guided_columns_alone_and_they_are_the_scores(fitted: GuidedRecommender) -> None:
    encoder = fitted.encoder_
    assert isinstance(encoder, GuidedEncoder)
    expected = fitted.normalisation_.columns(fitted.scores_, fitted.item_ids_)
    assert (encoder.guided_columns() == expected).all()
    height = fitted.scores_.values[:, 0]
    is_water = fitted.scores_.ids.str.starts_with("a").to_numpy()
    assert height[is_water].max() < height[~is_water].min()


def test_a_fit_says_what_its_scores_rest_on(fitted: GuidedRecommender) -> None:
    assert fitted.notes_ == ("Scores of items, without a language model: 2 on described ends alone.",)


def test_bars_tell_the_camps_apart(data: Dataset, fitted: GuidedRecommender) -> None:
    low, high = (why(fitted, data, user_id=user, item_id="b00", at=UNTIL).aspects[0] for user in ("A00", "B00"))
    assert low.user_level < low.mean_level < high.user_level
    assert low.item_level == high.item_level
    assert 1 <= high.user_level <= 10


def test_the_users_bar_is_the_mean_of_what_was_taken_with_recent_items_first(
    data: Dataset, fitted: GuidedRecommender
) -> None:
    taken = data.before(UNTIL).filter(pl.col("user_id") == USER).sort("timestamp").collect()["item_id"]
    levels = fitted.scores_.rows_of(taken).astype(np.float64)
    weights = 0.5 ** (np.arange(len(taken))[::-1] / 10)
    expected = weights @ levels / weights.sum()
    found = why(fitted, data, user_id=USER, item_id="b00", at=UNTIL).aspects
    assert [part.user_level for part in found] == pytest.approx(expected.tolist(), abs=1e-5)


def test_reasons_are_verified_and_name_what_moves_the_item(data: Dataset, fitted: GuidedRecommender) -> None:
    for it in fitted.explain(data, user_id="B00", k=4, at=UNTIL):
        explanation = it.explanation
        assert explanation.verdict.verified
        assert explanation.user_id == "B00"
        assert explanation.writer == "offline"
        ups, downs = named_parts(it.aspects)
        for part in (*ups, *downs):
            assert part.name in explanation.text
            assert f"push:{part.key}" in {evidence.id for evidence in explanation.evidence}
        record = it.record()
        assert record["verified"]
        assert [entry["push"] for entry in record["aspects"]] == [part.push for part in it.aspects]


def test_ranks_are_those_of_the_list(data: Dataset, fitted: GuidedRecommender) -> None:
    lists = fitted.recommend(data, user_ids=[USER], k=4, at=UNTIL)
    told = fitted.explain(data, user_id=USER, k=4, at=UNTIL)
    assert [(it.explanation.item_id, it.rank) for it in told] == list(lists.select("item_id", "rank").iter_rows())
    had = data.before(UNTIL).filter(pl.col("user_id") == USER).collect()["item_id"][0]
    assert why(fitted, data, user_id=USER, item_id=had, at=UNTIL).rank is None


def test_of_a_stranger_it_says_so(data: Dataset, fitted: GuidedRecommender) -> None:
    it = why(fitted, data, user_id=STRANGER, item_id="a00")
    assert it.explanation.text.startswith("[Reason] Nothing is known of this user yet.")
    assert [part.user_level for part in it.aspects] == [None, None]
    assert it.base + sum(part.part for part in it.aspects) == it.score
    newcomer = why(fitted, data, user_id=NEWCOMER, item_id="a00", at=UNTIL)
    assert newcomer.explanation.text == it.explanation.text, "all of it came after the moment"


def test_named_are_those_that_count() -> None:
    def part(key: str, value: float) -> AspectPart:
        return AspectPart(key, key, 5.0, 5.0, 5.0, part=value + 1, mean_part=1)

    ups, downs = named_parts([part("a", 0.1), part("b", 4), part("c", -3), part("d", -2), part("e", 1)])
    # All add 10.1: at most .1 of that is too little, and of what moves it down only the first is named.
    assert [it.key for it in ups] == ["b"]
    assert [it.key for it in downs] == ["c"]


def test_a_shift_says_what_changed(data: Dataset, fitted: GuidedRecommender) -> None:
    shifted = fitted.recommend_shifted(data, user_id=USER, aspect="height", amount=3.0, k=4, at=UNTIL)
    assert_frame_equal(shifted.before, fitted.recommend(data, user_ids=[USER], k=4, at=UNTIL), check_exact=True)
    before, after = (set(frame["item_id"]) for frame in (shifted.before, shifted.after))
    assert set(shifted.came_in) == after - before
    assert set(shifted.left) == before - after
    assert any(item_id.startswith("b") for item_id in shifted.came_in)
    ranks = {name: dict(frame.select("item_id", "rank").iter_rows()) for name, frame in (("b", shifted.before),
             ("a", shifted.after))}  # fmt: skip
    stayed = before & after
    assert shifted.moved == {it: (ranks["b"][it], ranks["a"][it]) for it in stayed if ranks["b"][it] != ranks["a"][it]}
    assert shifted.mean_level_after > shifted.mean_level_before
    had = data.before(UNTIL).filter(pl.col("user_id") == USER).collect()["item_id"]
    assert not after & set(had)


def test_less_of_it_lowers_the_mean_level_step_by_step(data: Dataset, fitted: GuidedRecommender) -> None:
    for user in (*USERS[:6], STRANGER):
        levels = [
            fitted.recommend_shifted(data, user_id=user, aspect="danger", amount=-step / 2, k=5).mean_level_after
            for step in range(9)
        ]
        assert levels == sorted(levels, reverse=True)
        nothing = fitted.recommend_shifted(data, user_id=user, aspect="danger", amount=0.0, k=5)
        assert (nothing.came_in, nothing.left, nothing.moved) == ((), (), {})


def test_wrong_questions_are_refused(data: Dataset, fitted: GuidedRecommender) -> None:
    with pytest.raises(InvalidConfigError, match="expected one of height, danger, got 'tension'"):
        fitted.recommend_shifted(data, user_id=USER, aspect="tension", amount=1)
    for ask in (
        lambda: fitted.recommend_shifted(data, user_id=USER, aspect="height", amount=1, k=0),
        lambda: fitted.explain(data, user_id=USER, k=0),
    ):
        with pytest.raises(InvalidConfigError, match="expected k of at least 1, got 0"):
            ask()
    with pytest.raises(UnknownIdError, match="expected an item_id of the 22 that were fitted on, got 'z'"):
        why(fitted, data, user_id=USER, item_id="z")
    for ask in (
        lambda: why(camp_recommender(), data, user_id=USER, item_id="a00"),
        lambda: camp_recommender().recommend_shifted(data, user_id=USER, aspect="height", amount=1),
    ):
        with pytest.raises(NotFittedError):
            ask()


def test_heads_that_do_not_divide_are_named_before_anything_is_scored(data: Dataset) -> None:
    class NeverAsked:
        def embed(self, texts: object) -> np.ndarray:
            raise AssertionError("scored before the settings were checked")

    recommender = GuidedRecommender(camp_config(n_heads=3), aspects=CAMP_ASPECTS, text_encoder=NeverAsked())
    with pytest.raises(InvalidConfigError, match=r"expected n_heads that divide the 16 columns .*, got 3"):
        recommender.fit(data, until=UNTIL)


# Sources


def test_scores_from_a_file_and_items_that_it_lacks(data: Dataset, fitted: GuidedRecommender, tmp_path: Path) -> None:
    known = fitted.scores_.ids.filter(fitted.scores_.ids != "a00")
    rows = fitted.scores_.rows_of(known)
    AspectScores.of("items", known, rows, aspects=("height", "danger"), writer="critic").write(tmp_path / "items")
    recommender = camp_recommender(scores=tmp_path / "items").fit(data, until=UNTIL)
    it = why(recommender, data, user_id=USER, item_id="a00", at=UNTIL)
    assert it.explanation.writer == "critic"
    assert [part.item_level for part in it.aspects] == [None, None]
    encoder = recommender.encoder_
    assert isinstance(encoder, GuidedEncoder)
    row = recommender.item_ids_.index_of("a00")
    assert (encoder.guided_columns()[row] == 0).all(), "the mean of all aspects"
    recommender.save(tmp_path / "run")
    loaded = GuidedRecommender.load(tmp_path / "run")
    assert why(loaded, data, user_id=USER, item_id="a00", at=UNTIL) == it
    assert len(loaded.scores_) == 21


def test_preferences_that_were_written(data: Dataset, fitted: GuidedRecommender, tmp_path: Path) -> None:
    """The same encoder, but what users want is the opposite of what they took."""
    high = [[9.0, 9.0] if user[0] == "A" else [2.0, 2.0] for user in USERS]
    AspectScores.of("users", USERS, np.array(high), aspects=("height", "danger"), writer="critic").write(
        tmp_path / "users"
    )
    settings = {"preferences": "written", "user_scores": tmp_path / "users"}
    recommender = camp_recommender(**settings).fit(data, until=UNTIL)
    assert [part.user_level for part in why(recommender, data, user_id=USER, item_id="b00").aspects] == [9.0, 9.0]
    recommender.save(tmp_path / "run")
    loaded = GuidedRecommender.load(tmp_path / "run")
    asked = [*USERS, NEWCOMER, STRANGER]
    assert_frame_equal(
        loaded.recommend(data, user_ids=asked), recommender.recommend(data, user_ids=asked), check_exact=True
    )
    mean = recommender.normalisation_.mean
    told = why(loaded, data, user_id=NEWCOMER, item_id="b00").aspects
    assert [part.user_level for part in told] == pytest.approx(mean), "of whom nothing is written"
    with pytest.raises(InvalidDataError, match="expected scores of items, got scores of users"):
        camp_recommender(scores=tmp_path / "users").fit(data, until=UNTIL)
    with pytest.raises(InvalidConfigError, match="expected user_scores or llm, got neither"):
        camp_recommender(preferences="written").fit(data, until=UNTIL)


@pytest.mark.parametrize("encoder", ["sasrec", "bert4rec"])
def test_drawn_negatives_teach_the_camps_as_all_items_do(data: Dataset, encoder: str) -> None:
    by_all, by_drawn = (camp_recommender(encoder=encoder, n_negatives=n).fit(data, until=UNTIL) for n in (None, 16))
    assert scores_of(data, by_all) != scores_of(data, by_drawn)
    lists = by_drawn.recommend(data, user_ids=["A00", "B00"], k=3, at=UNTIL)
    assert {(user, item[0]) for user, item in lists.select("user_id", "item_id").iter_rows()} == {
        ("A00", "a"),
        ("B00", "b"),
    }


def test_some_aspects_alone(data: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "places.toml"
    lines = ['domain = "places"', 'thing = "place"']
    for aspect in CAMP_ASPECTS.aspects:
        lines += ["[[aspect]]", *(f'{name} = "{getattr(aspect, name)}"' for name in ("key", "name", "meaning"))]
        for end in ("low", "high"):
            pole = getattr(aspect, end)
            lines += [f"[aspect.{end}]", f'means = "{pole.means}"', f"descriptions = {list(pole.descriptions)}"]
    path.write_text("\n".join(lines), encoding="utf-8")
    config = camp_config(aspects=str(path), only_aspects=("danger",), base_columns=15)
    recommender = GuidedRecommender(config, text_encoder=CampWords()).fit(data, until=UNTIL)
    assert recommender.aspects_.keys == ("danger",)
    assert why(recommender, data, user_id=USER, item_id="a00").aspects[0].key == "danger"


@pytest.mark.parametrize(
    "changes",
    [
        {"user_scores": "users"},
        {"preferences": "written", "user_side": "item"},
        {"matching": "distance", "user_side": "item"},
        {"match_strength": 1.0, "user_side": "concat"},
    ],
)
def test_settings_that_contradict_each_other(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"choose|set both|set these"):
        camp_config(**changes)


@pytest.mark.parametrize(
    "changes",
    [{"weight": math.inf}, {"match_strength": math.nan}, {"match_strength": -math.inf}, {"half_life_items": 1e-300}],
)
def test_numbers_that_no_training_survives_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"finite number|greater than or equal to 0\.01"):
        camp_config(**changes)
    assert camp_config(half_life_items=math.inf).half_life_items == math.inf


def test_an_item_of_which_nothing_is_known_stands_at_the_mean_and_goes_by_its_id(data: Dataset) -> None:
    is_silent = pl.col("item_id") == "b09"
    silent = data.items.with_columns(
        pl.when(is_silent).then(None).otherwise(pl.col(name)).alias(name) for name in ("title", "genres")
    ).with_columns(pl.lit(4.5).alias("stars"))
    recommender = camp_recommender().fit(Dataset.from_frames(data.interactions, silent, name="silent"), until=UNTIL)
    assert recommender.notes_ == (
        "Columns left out, for they may count other people's ratings: stars.",
        "Scores of items, without a language model: 2 on described ends alone.",
        "Scores of items: 1 have none and stand at the mean (nothing known 1).",
    )
    assert np.isnan(recommender.item_levels(["b09"])).all()
    told = why(recommender, Dataset.from_frames(data.interactions, silent, name="silent"), user_id=USER, item_id="b09")
    assert "“b09”" in told.explanation.text
    assert (told.title, told.explanation.verdict.verified) == ("b09", True)


# Leaks


def test_what_comes_later_changes_neither_list_nor_reason_nor_shift(data: Dataset, fitted: GuidedRecommender) -> None:
    later = with_events(data, user_ids=USERS, item_id=NEVER_SEEN[1], at=UNTIL)
    for n in range(8):
        later = with_events(later, user_ids=[USER], item_id=f"b{n:02}", at=UNTIL + timedelta(hours=n))

    def answers(log: Dataset, *, moment: bool = True) -> tuple[object, object, list[object]]:
        at = UNTIL if moment else None
        shifted = fitted.recommend_shifted(log, user_id=USER, aspect="height", amount=1.0, at=at)
        return (
            why(fitted, log, user_id=USER, item_id="b09", at=at),
            why(fitted, log, user_id=STRANGER, item_id=NEVER_SEEN[1], at=at),
            [*shifted.before.rows(), *shifted.after.rows()],
        )

    assert answers(later) == answers(data)
    # The plant is strong enough to be seen where it may be read.
    assert answers(later, moment=False) != answers(data)


def test_later_facts_of_items_are_not_read(data: Dataset, fitted: GuidedRecommender) -> None:
    """What many people made of an item is no property of it: such columns stand in catalogues, of any time."""
    n = data.items.height
    planted = data.items.with_columns(
        pl.Series("avg_rating", ["glacier ridge" if i % 2 else "harbour" for i in range(n)]),
        pl.Series("numReviews", list(range(n))),
    )
    leaky = Dataset.from_frames(data.interactions, planted, name=data.name)
    again = camp_recommender().fit(leaky, until=UNTIL)
    assert (again.scores_.values == fitted.scores_.values).all()
    assert scores_of(leaky, again) == scores_of(data, fitted)
    # The same words in another column do move scores.
    told = Dataset.from_frames(data.interactions, planted.rename({"avg_rating": "plot"}), name=data.name)
    assert (camp_recommender().fit(told, until=UNTIL).scores_.values != fitted.scores_.values).any()


def test_items_that_only_come_later_do_not_normalise(data: Dataset, fitted: GuidedRecommender) -> None:
    """Mean and deviation are those of training items: a file in which only unseen items differ gives the same."""
    rows = fitted.scores_.rows_of(fitted.item_ids_)
    strange = rows.copy()
    strange[fitted.item_ids_.is_in(list(NEVER_SEEN)).to_numpy()] = 10.0
    again = Normalisation.learn(
        AspectScores.of("items", fitted.item_ids_, strange, aspects=("height", "danger"), writer="x"),
        fitted.item_ids_,
        is_training=~fitted.item_ids_.is_in(list(NEVER_SEEN)).to_numpy(),
        embedding_dim=16,
    )
    assert again == fitted.normalisation_
