"""A corner of the bundled films published: every document valid, true to its sources, and nothing later in it."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from contracts.films import AT
from whyrec.data.dataset import Dataset
from whyrec.data.facts import item_facts
from whyrec.data.windows import day_after
from whyrec.runs import explain_list_run, open_run, recommend_run
from whyrec.serving.documents import Board, ExplanationDocument, ItemPage, PersonalList, UserPage, VersionRecord
from whyrec.serving.publishing import Published, PublishSettings, publish_runs
from whyrec.serving.store import Store

PERSONAL = ("curec", "guided", "mllm3rec")
SETTINGS = PublishSettings(depth=12, explained=3, explained_items=5, board_depth=20, users_at_once=7)
N_USERS = 15


@pytest.fixture(scope="module")
def some_users(films: Dataset) -> list[str]:
    return films.before(AT).select("user_id").unique().sort("user_id").collect()["user_id"].to_list()[:N_USERS]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'served.sqlite'}") as opened:
        yield opened


@pytest.fixture(scope="module")
def published(runs: dict[str, Path], store: Store, some_users: list[str]) -> Published:
    order = [runs[name] for name in (*PERSONAL, "trail")]
    return publish_runs(order, store, at=AT, user_ids=[*some_users, "nobody"], settings=SETTINGS)


@pytest.fixture(scope="module")
def version(published: Published, store: Store) -> VersionRecord:
    found = store.current()
    assert found is not None
    return found


def with_other_events(films: Dataset, runs: dict[str, Path], place: Path) -> dict[str, Path]:
    """The runs on a log that goes on otherwise from the moment on."""
    later = films.interactions.filter(pl.col("timestamp") >= AT).collect()
    leak = later.with_columns(item_id=pl.lit(films.items["item_id"][7]), rating=pl.lit(0).cast(later["rating"].dtype))
    log = pl.concat([films.before(AT).collect(), leak, leak.with_columns(timestamp=AT)])
    data = Dataset.from_frames(log, films.items, name=films.name)
    data.write(place / "data")
    for name, run in runs.items():
        shutil.copytree(run, place / name)
        told = json.loads((run / "run.json").read_text("utf-8"))
        told["dataset"] |= {"directory": str(place / "data"), "fingerprint": data.fingerprint}
        (place / name / "run.json").write_text(json.dumps(told), "utf-8")
    return {name: place / name for name in runs}


def board(store: Store, version: VersionRecord, window: str) -> Board:
    return Board.model_validate_json(store.board(version.id, window) or b"")


def list_of(store: Store, version: VersionRecord, user_id: str, method: str | None = None) -> PersonalList:
    return PersonalList.model_validate_json(store.list_of(version.id, user_id, method) or b"")


def test_the_version_says_what_it_was_made_from(version: VersionRecord, published: Published) -> None:
    assert (version.dataset, version.at) == ("some films", AT)
    assert [run.method for run in version.runs] == [*PERSONAL, "trail"]
    assert version.windows == ("next", "7d", "30d")
    assert (version.n_users, version.n_items) == (N_USERS, 80)
    n_explanations = 5 + 3 * N_USERS * len(PERSONAL)
    assert (version.n_explanations, published.n_explanations) == (n_explanations, n_explanations)
    assert sum(n for _, n, _ in published.writers) == n_explanations
    assert version.n_unverified == published.n_unverified == sum(wrong for _, _, wrong in published.writers)
    assert (published.n_lists, published.n_unknown_users) == (3 * N_USERS, 1)


def test_the_coming_window_is_the_forecast_and_its_first_places_are_explained(
    version: VersionRecord, store: Store, films: Dataset, runs: dict[str, Path]
) -> None:
    coming = board(store, version, "next")
    assert (coming.start, coming.end) == (AT, AT + timedelta(days=30))
    assert (coming.label, coming.method) == ("the 30 days from 1 October 2013", "trail_offline")
    run = open_run(runs["trail"])
    expected = run.load_forecaster().forecast(films, at=AT, k=20)
    assert [it.item_id for it in coming.entries] == expected["item_id"].to_list()
    assert [it.expected for it in coming.entries] == pytest.approx(expected["expected"].to_list())
    for entry in coming.entries:
        assert entry.reason is not None
        assert (entry.reason.basis, entry.reason.verified) == ("trending", True)
    first = coming.entries[0]
    told = ExplanationDocument.model_validate_json(store.explanation(version.id, first.item_id) or b"")
    assert first.reason is not None
    assert told.text.startswith(f"[Trend] {first.reason.text}")
    assert (told.user_id, told.method, told.rank) == (None, "trail", 1)
    assert told.drivers
    assert store.explanation(version.id, coming.entries[5].item_id) is None


def test_boards_of_the_past_count_people(version: VersionRecord, store: Store, films: Dataset) -> None:
    log = films.before(AT).collect()
    for days in (7, 30):
        found = board(store, version, f"{days}d")
        window = log.filter(pl.col("timestamp") >= AT - timedelta(days=days))
        users = dict(window.group_by("item_id").agg(pl.col("user_id").n_unique()).iter_rows())
        assert found.entries[0].expected == max(users.values())
        assert [it.score for it in found.entries] == sorted((users[it.item_id] for it in found.entries), reverse=True)
        for entry in found.entries:
            n = users[entry.item_id]
            assert entry.reason is not None
            assert entry.reason.text == f"Taken by {n} {'people' if n > 1 else 'person'} in the last {days} days."
        daily = window.filter(pl.col("item_id") == found.entries[0].item_id)
        assert sum(found.entries[0].recent) >= daily["user_id"].n_unique()
        assert len(found.entries[0].recent) == 30


@pytest.mark.parametrize("method", PERSONAL)
def test_lists_and_reasons_are_those_of_the_run(
    method: str, version: VersionRecord, store: Store, films: Dataset, runs: dict[str, Path], some_users: list[str]
) -> None:
    run = open_run(runs[method])
    asked = some_users[:8:3]
    expected = recommend_run(run, films, user_ids=asked, at=AT, k=12).rows
    for user_id in asked:
        found = list_of(store, version, user_id, method)
        rows = [row for row in expected if row["user_id"] == user_id]
        assert [(it.rank, it.item_id, it.score) for it in found.entries] == [
            (row["rank"], row["item_id"], row["score"]) for row in rows
        ]
        n = films.before(AT).filter(pl.col("user_id") == user_id).collect().height
        assert found.note == f"from the {n} items that you rated"
        assert [it.reason is not None for it in found.entries] == [True] * 3 + [False] * 9
        for record, entry in zip(
            explain_list_run(run, films, user_id=user_id, at=AT, k=3), found.entries, strict=False
        ):
            stored = store.explanation(version.id, entry.item_id, user_id, method=method) or b""
            told = ExplanationDocument.model_validate_json(stored)
            assert (told.text, told.verified, told.rank) == (record["text"], record["verified"], entry.rank)
            assert entry.reason is not None
            assert (entry.reason.n_claims, entry.reason.verified) == (len(told.claims), told.verified)
            assert entry.reason.text.split(".")[0] in told.text
            for claim in told.claims:
                assert told.text[claim.start : claim.end] == claim.text
                assert claim.evidence_ids or not claim.supported
            if method == "guided":
                pushes = sum(bar.push or 0.0 for bar in told.aspects) + (told.base_push or 0.0)
                assert (len(told.aspects), told.base_push is not None, pushes != 0) == (12, True, True)


def test_the_first_run_makes_the_list_by_default(version: VersionRecord, store: Store, some_users: list[str]) -> None:
    assert list_of(store, version, some_users[0]).method == "curec"


def test_nobody_else_is_named(version: VersionRecord, store: Store, some_users: list[str]) -> None:
    for entry in list_of(store, version, some_users[0], "curec").entries[:3]:
        stored = store.explanation(version.id, entry.item_id, some_users[0], method="curec") or b""
        told = json.loads(stored)
        assert set(told["reasons"][0]) == {"text", "timestamp", "writer", "verified", "attention"}
        assert datetime.fromisoformat(told["reasons"][0]["timestamp"]) < AT


def test_pages_of_items_hold_their_facts(version: VersionRecord, store: Store, films: Dataset) -> None:
    ids = films.items["item_id"].to_list()
    facts = item_facts(films, item_ids=ids, cutoff=AT)
    forecast = [it.item_id for it in board(store, version, "next").entries]
    for item_id in ids:
        page = ItemPage.model_validate_json(store.item(version.id, item_id) or b"")
        assert (page.total_users, page.first_seen) == (facts[item_id].total_users, facts[item_id].first_seen)
        assert [(it.users, it.complete) for it in page.history] == [
            (m.users, m.complete) for m in facts[item_id].months
        ]
        assert all(it.id == f"month:{it.start:%Y-%m}" for it in page.history)
        assert page.forecast is not None
        assert (page.explanation is not None) == (page.forecast.rank <= 5)
        assert len(page.aspects) == 12
        assert all(bar.item_level is None or 1 <= bar.item_level <= 10 for bar in page.aspects)
        assert all(bar.low and bar.high and bar.user_level is None for bar in page.aspects)
        if page.explanation is not None:
            assert page.item_id in forecast[:5]
            points = {it.id for it in page.history}
            cited = {name for claim in page.explanation.claims for name in claim.evidence_ids if "month:" in name}
            assert cited & points
    assert any(ItemPage.model_validate_json(store.item(version.id, it) or b"").traits for it in ids)


def test_pages_of_users_hold_what_methods_make_of_them(
    version: VersionRecord, store: Store, films: Dataset, some_users: list[str]
) -> None:
    pages = [UserPage.model_validate_json(store.user(version.id, user_id) or b"") for user_id in some_users]
    for page in pages:
        log = films.before(AT).filter(pl.col("user_id") == page.user_id).collect()
        assert page.n_interactions == log.height
        assert page.methods == PERSONAL
        assert page.newest[0].timestamp == log["timestamp"].max()
        assert page.pattern is not None
        assert page.pattern.verified
        assert all(bar.user_level is not None and bar.item_level is None for bar in page.aspects)
        assert all(0 < it.strength <= 1 for it in page.motivations if it.strength is not None)
    assert any(page.motivations for page in pages)
    assert store.user(version.id, "nobody") is None


def test_nothing_later_enters(
    runs: dict[str, Path], films: Dataset, version: VersionRecord, store: Store, some_users: list[str], tmp_path: Path
) -> None:
    """The same log with other events from the moment on: every document is the same to the byte."""
    other = with_other_events(films, runs, tmp_path)
    with Store.open(f"sqlite:///{tmp_path / 'other.sqlite'}") as second:
        order = [other[name] for name in (*PERSONAL, "trail")]
        publish_runs(order, second, at=AT, user_ids=some_users, settings=SETTINGS)
        again = second.current()
        assert again is not None
        assert [second.board(again.id, it) for it in again.windows] == [
            store.board(version.id, it) for it in version.windows
        ]
        for user_id in some_users:
            assert second.user(again.id, user_id) == store.user(version.id, user_id)
            for method in PERSONAL:
                assert second.list_of(again.id, user_id, method) == store.list_of(version.id, user_id, method)
        for item_id in films.items["item_id"]:
            assert second.item(again.id, item_id) == store.item(version.id, item_id)


def test_the_default_moment_reads_all(films: Dataset, runs: dict[str, Path], tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'all.sqlite'}") as opened:
        found = publish_runs([runs["trail"]], opened, settings=SETTINGS.model_copy(update={"explained_items": 0}))
        assert found.at == day_after(films.time_range[1])
        assert (found.n_explanations, found.n_lists) == (0, 0)
        assert found.n_users == films.counts["n_users"]
