"""What a store has taken in is published with the rest; who was erased is not; what fails is not seen."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.films import AT
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.methods.curec.model import CURecRecommender
from whyrec.runs import open_run
from whyrec.serving.documents import Board, ExplanationDocument, NewInteraction, PersonalList, UserPage
from whyrec.serving.publishing import Published, PublishSettings, publish_runs
from whyrec.serving.publishing import publish as publishing
from whyrec.serving.store import Store

SETTINGS = PublishSettings(depth=10, explained=2, explained_items=0, board_depth=80)
NOON = AT + timedelta(days=60, hours=12)
"""After all that the log holds."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'served.sqlite'}")


def taken(user_id: str, item_id: str, *, at: datetime = NOON) -> NewInteraction:
    return NewInteraction(user_id=user_id, item_id=item_id, timestamp=at, rating=7)


def published(
    store: Store, runs: Sequence[Path], *, user_ids: Sequence[str], at: datetime | None = None, intake: bool = True
) -> Published:
    return publish_runs(runs, store, user_ids=user_ids, at=at, without_intake=not intake, settings=SETTINGS)


def entries(store: Store, user_id: str) -> list[str]:
    current = store.current()
    assert current is not None
    found = store.list_of(current.id, user_id)
    return [] if found is None else [it.item_id for it in PersonalList.model_validate_json(found).entries]


def people(store: Store, item_id: str) -> float | None:
    """Of an item on the board of the last week."""
    current = store.current()
    assert current is not None
    board = Board.model_validate_json(store.board(current.id, "7d") or b"")
    return next((it.expected for it in board.entries if it.item_id == item_id), None)


def some_user(films: Dataset) -> str:
    return str(films.interactions.select(pl.col("user_id").min()).collect().item())


@pytest.mark.parametrize("method", ["curec", "guided", "mllm3rec"])
def test_what_was_taken_in_leaves_the_list_and_counts(
    method: str, runs: dict[str, Path], films: Dataset, store: Store
) -> None:
    user_id, chosen = some_user(films), [runs[method], runs["trail"]]
    assert published(store, chosen, user_ids=[user_id]).n_taken_in == 0
    first = entries(store, user_id)[0]
    store.take_in([taken(user_id, first), taken("newcomer", first), taken(user_id, "unheard of")], "a")
    told = published(store, chosen, user_ids=[user_id, "newcomer"])
    assert (told.n_taken_in, told.n_unknown_items, told.n_unknown_users) == (2, 1, 0)
    assert told.at == datetime(NOON.year, NOON.month, NOON.day, tzinfo=NOON.tzinfo) + timedelta(days=1)
    assert first not in entries(store, user_id)
    assert first not in entries(store, "newcomer")
    assert len(entries(store, "newcomer")) == 10
    assert people(store, first) == 2.0
    assert store.taken_by(user_id) == []
    current = store.current()
    assert current is not None
    page = UserPage.model_validate_json(store.user(current.id, user_id) or b"")
    assert (page.newest[0].item_id, page.newest[0].timestamp) == (first, NOON)


def test_intake_can_be_left_out_and_is_then_still_unknown(runs: dict[str, Path], films: Dataset, store: Store) -> None:
    user_id, chosen = some_user(films), [runs["guided"]]
    item_id = films.items["item_id"][0]
    store.take_in([taken(user_id, item_id), taken("newcomer", item_id)], "a")
    assert published(store, chosen, user_ids=["newcomer"], intake=False).n_unknown_users == 1
    assert people(store, item_id) is None
    assert store.taken_by(user_id) == [item_id]


def test_nothing_taken_in_at_the_moment_or_later_is_read(runs: dict[str, Path], films: Dataset, store: Store) -> None:
    early, late = films.items["item_id"].to_list()[:2]
    last = films.time_range[1]
    at = datetime(last.year, last.month, last.day, tzinfo=last.tzinfo)
    store.take_in([taken("newcomer", early, at=at - timedelta(microseconds=1)), taken("newcomer", late, at=at)], "a")
    told = published(store, [runs["curec"]], user_ids=["newcomer"], at=at)
    assert told.n_taken_in == 1
    current = store.current()
    assert current is not None
    page = UserPage.model_validate_json(store.user(current.id, "newcomer") or b"")
    assert [it.item_id for it in page.newest] == [early]
    assert early not in entries(store, "newcomer")
    assert store.taken_by("newcomer") == [late]


def test_sent_twice_under_other_keys_or_there_already_counts_once(
    runs: dict[str, Path], films: Dataset, store: Store
) -> None:
    user_id, item_id, moment = films.interactions.select("user_id", "item_id", "timestamp").last().collect().row(0)
    store.take_in([taken("newcomer", item_id), taken(user_id, item_id, at=moment)], "a")
    store.take_in([taken("newcomer", item_id)], "b")
    assert published(store, [runs["curec"]], user_ids=["newcomer"]).n_taken_in == 1


def test_who_was_erased_is_in_nothing(runs: dict[str, Path], films: Dataset, store: Store) -> None:
    reader = some_user(films)
    recommender = open_run(runs["curec"]).load_recommender()
    assert isinstance(recommender, CURecRecommender)
    [told] = recommender.explain(films, user_id=reader, k=1)
    cited = told.told[0].reason
    assert (cited.text, cited.timestamp) in reasons_for(store, runs["curec"], reader)
    store.erase_user(cited.user_id)
    after = published(store, [runs["curec"]], user_ids=[cited.user_id, reader])
    assert (after.n_users, after.n_unknown_users) == (1, 1)
    assert entries(store, cited.user_id) == []
    assert (cited.text, cited.timestamp) not in reasons_for(store, runs["curec"], reader)
    current = store.current()
    assert current is not None
    document = store.explanation(current.id, entries(store, reader)[0], reader, method="curec") or b""
    # Another may have been told the same of the same film; then that stands there for their reason.
    kept = [text for text, _ in reasons_for(store, runs["curec"], reader)]
    assert cited.text not in ExplanationDocument.model_validate_json(document).text or cited.text in kept


def reasons_for(store: Store, run: Path, user_id: str) -> list[tuple[str, datetime]]:
    """Reasons of others that are published in the explanation of the first place of somebody's list."""
    published(store, [run], user_ids=[user_id])
    current = store.current()
    assert current is not None
    document = store.explanation(current.id, entries(store, user_id)[0], user_id, method="curec") or b""
    told = ExplanationDocument.model_validate_json(document)
    assert told.reasons
    return [(it.text, it.timestamp) for it in told.reasons]


def test_a_publication_that_fails_is_not_seen(
    runs: dict[str, Path], films: Dataset, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = published(store, [runs["guided"]], user_ids=[some_user(films)])

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing.People, "documents", killed)
    with pytest.raises(KeyboardInterrupt):
        published(store, [runs["guided"]], user_ids=[some_user(films)])
    assert [it.id for it in store.versions()] == [first.version]


def test_runs_must_go_together(runs: dict[str, Path], films: Dataset, store: Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="expected at least one, got none"):
        published(store, [], user_ids=[])
    with pytest.raises(InvalidConfigError, match="got two of guided"):
        published(store, [runs["guided"], runs["guided"]], user_ids=[])
    with pytest.raises(InvalidConfigError, match=r"--at: expected a moment from 2013-10-01T00:00:00\+00:00 on"):
        published(store, [runs["guided"]], user_ids=[], at=AT - timedelta(days=1))
    other = tmp_path / "other"
    Dataset.from_frames(films.interactions.collect()[1:], films.items, name=films.name).write(other)
    with pytest.raises(InvalidDataError, match=r"expected the data that .* was fitted on"):
        publish_runs([runs["guided"]], store, data=other)
    copy = tmp_path / "copy"
    copy.mkdir()
    told = json.loads((runs["trail"] / "run.json").read_text("utf-8"))
    told["dataset"]["fingerprint"] = "sha256:other"
    (copy / "run.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(InvalidDataError, match=r"copy was fitted on \(sha256:other\)"):
        published(store, [runs["guided"], copy], user_ids=[])
    assert store.current() is None
