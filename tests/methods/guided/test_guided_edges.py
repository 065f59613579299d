"""Guided refinement at its edges: no levels, files that fit badly, trainings that are gone on with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from guided_camps import CAMP_ASPECTS, camp_config, camp_recommender

from contracts.recommender import NEWCOMER, STRANGER, UNTIL, USERS, checkerboard
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.evaluation.verification.interest_facts import InterestCatalogue
from whyrec.methods.guided.artefacts import AspectScores, Side
from whyrec.methods.guided.control import mean_level, shifted_scores
from whyrec.methods.guided.explaining import AspectPart, Case, Explainer, named_parts
from whyrec.methods.guided.model import GuidedRecommender

KEYS = ("height", "danger")
USER = "A00"


@pytest.fixture(scope="module")
def world() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def scored(world: Dataset) -> AspectScores:
    return (
        camp_recommender(training={**camp_config().training.model_dump(), "epochs": 1}).fit(world, until=UNTIL).scores_
    )


def written(path: Path, side: Side, levels: dict[str, list[float]]) -> Path:
    """A file of scores."""
    values = np.array(list(levels.values()))
    AspectScores.of(side, list(levels), values, aspects=KEYS, writer="critic").write(path)
    return path


def quick(**changes: object) -> GuidedRecommender:
    """A recommender that trains for three epochs."""
    return camp_recommender(**{"training": {**camp_config().training.model_dump(), "epochs": 3}, **changes})


# Trainings that are gone on with


def test_a_training_does_not_go_on_with_other_scores(world: Dataset, scored: AspectScores, tmp_path: Path) -> None:
    items, state = tmp_path / "items", tmp_path / "state.safetensors"
    scored.write(items)
    settings = {"scores": items, "checkpoint": state}
    quick(**settings).fit(world, until=UNTIL)
    kept = state.read_bytes()
    replace(scored, values=11 - scored.values).write(items)
    with pytest.raises(InvalidConfigError, match=r"base\.items\.frozen as it is now, got one with another"):
        quick(**settings).fit(world, until=UNTIL)
    assert state.read_bytes() == kept
    scored.write(items)
    assert quick(**settings).fit(world, until=UNTIL).report_ is not None


def test_the_same_object_fitted_anew_tells_who_scored(world: Dataset, scored: AspectScores, tmp_path: Path) -> None:
    items = tmp_path / "items"
    scored.write(items)
    recommender = quick(scores=items).fit(world, until=UNTIL)
    assert recommender.explain(world, user_id=USER, k=1)[0].explanation.writer == "offline"
    replace(scored, writer="critic").write(items)
    recommender.fit(world, until=UNTIL)
    assert recommender.explain(world, user_id=USER, k=1)[0].explanation.writer == "critic"


# Files of scores


def test_a_fit_says_how_many_a_file_leaves_out(world: Dataset, scored: AspectScores, tmp_path: Path) -> None:
    some = scored.ids[:5]
    levels = dict(zip(some, scored.rows_of(some).tolist(), strict=True))
    recommender = quick(scores=written(tmp_path / "few", "items", {**levels, "elsewhere": [5.0, 5.0]}))
    recommender.fit(world, until=UNTIL)
    assert f"Scores of items: {world.items.height - 5} of {world.items.height} have none and stand at the mean." in (
        recommender.notes_
    )


@pytest.mark.parametrize("side", ["items", "users"])
def test_a_file_of_somebody_elses_scores_is_refused(world: Dataset, tmp_path: Path, side: Side) -> None:
    path = written(tmp_path / "others", side, {"x1": [1.0, 2.0], "x2": [3.0, 4.0]})
    settings = {"scores": path} if side == "items" else {"preferences": "written", "user_scores": path}
    with pytest.raises(InvalidDataError, match=f"expected scores of the data's {side}, got none of these"):
        quick(**settings).fit(world, until=UNTIL)


def test_an_aspect_that_tells_nothing_apart_is_told(world: Dataset, scored: AspectScores, tmp_path: Path) -> None:
    levels = {one: [level, 5.0] for one, level in zip(scored.ids, scored.values[:, 0].tolist(), strict=True)}
    recommender = quick(scores=written(tmp_path / "flat", "items", levels)).fit(world, until=UNTIL)
    assert "Scores of training items do not differ on danger: it changes nothing." in recommender.notes_


def test_written_levels_of_somebody_new_are_at_the_mean_as_the_encoder_takes_them(
    world: Dataset, tmp_path: Path
) -> None:
    path = written(tmp_path / "users", "users", {user: [9.0, 9.0] for user in [*USERS, NEWCOMER]})
    recommender = quick(preferences="written", user_scores=path).fit(world, until=UNTIL)
    recommender.save(tmp_path / "run")
    loaded = GuidedRecommender.load(tmp_path / "run")
    for one in (recommender, loaded):
        levels = one.user_levels(world, user_ids=[USER, NEWCOMER])
        assert levels[USER].tolist() == [9.0, 9.0]
        assert levels[NEWCOMER] == pytest.approx(one.normalisation_.mean)


# Words


def part(key: str, *, item: float | None, user: float = 8.0, push: float = 1.0) -> AspectPart:
    """An aspect whose mean item is at 5."""
    return AspectPart(key, CAMP_ASPECTS.aspects[KEYS.index(key)].name, user, item, 5.0, push, 0.0)


def reason(world: Dataset, parts: tuple[AspectPart, ...], *, base: float, are_written: bool = False) -> str:
    """Of an item that a user with a history has."""
    catalogue = InterestCatalogue.of(world.items, interactions=world.before(UNTIL))
    explainer = Explainer(CAMP_ASPECTS, catalogue, "critic", are_written=are_written)
    told = explainer.explain(Case(USER, "b00", 1, 0.0, base, 0.0, parts, ["a00"], 0)).explanation
    assert told.verdict.verified
    return told.text


def test_what_somebody_took_is_not_claimed_of_levels_that_were_written(world: Dataset) -> None:
    parts = (part("height", item=9.0),)
    assert "What this user took stands on the same side." in reason(world, parts, base=0.1)
    text = reason(world, parts, base=0.1, are_written=True)
    assert "took stands" not in text
    assert "What this user is said to prefer stands on the same side." in text


def test_an_item_without_scores_moves_for_no_aspect(world: Dataset) -> None:
    parts = (part("height", item=None), part("danger", item=None, push=-0.5))
    assert named_parts(parts) == ([], [])
    assert "who took what; it has no scores on the aspects." in reason(world, parts, base=0.3)


def test_what_speaks_against_an_item_is_not_why_it_is_here(world: Dataset) -> None:
    parts = (part("height", item=9.0, push=-1.0), part("danger", item=9.0, push=-0.1))
    assert "is here for what was learnt" in reason(world, parts, base=0.3)
    text = reason(world, parts, base=-0.3)
    assert "is here for" not in text
    assert "speaks against" in text


# Shifts


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_mean_level_never_falls_where_some_levels_are_unknown(k: int) -> None:
    scores, levels = np.array([10.0, 9.9, 9.0, 1.0, 0.0]), np.array([9.0, np.nan, 7.0, 1.0, 1.0])
    amounts = np.linspace(-4, 4, 81)
    means = [mean_level(shifted_scores(scores, levels, amount=amount), levels, k=k) for amount in amounts]
    assert (np.diff(means) >= -1e-9).all()
    assert means[-1] > means[0]


def test_a_list_of_a_file_that_leaves_half_out_never_grows_less(
    world: Dataset, scored: AspectScores, tmp_path: Path
) -> None:
    half = scored.ids.gather_every(2)
    levels = dict(zip(half, scored.rows_of(half).tolist(), strict=True))
    recommender = quick(scores=written(tmp_path / "half", "items", levels)).fit(world, until=UNTIL)
    for user in USERS[:4]:
        means = [
            recommender.recommend_shifted(world, user_id=user, aspect="height", amount=amount, k=3).mean_level_after
            for amount in (0.0, 0.5, 1.0, 2.0, 4.0)
        ]
        assert (np.diff(means) >= -1e-9).all()


def test_a_shift_says_whether_it_knows_the_user(world: Dataset) -> None:
    recommender = quick().fit(world, until=UNTIL)
    known, stranger = (
        recommender.recommend_shifted(world, user_id=user, aspect="height", amount=1.0, k=3)
        for user in (USER, STRANGER)
    )
    assert known.knows_user
    assert not stranger.knows_user
    assert len(stranger.after) == 3
