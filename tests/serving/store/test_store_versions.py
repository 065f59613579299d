"""Versions: published whole or not at all, gone back to, removed; against a plain model in memory."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contracts.published import AT, RUNS, board, explanation, item, personal, publish, user
from whyrec.errors import InvalidConfigError, InvalidDataError, OutputWriteError
from whyrec.serving.documents import Board, ItemPage, PersonalList, UserPage
from whyrec.serving.store import Store
from whyrec.serving.store.schema import VERSIONED


def versions_with_rows(store: Store) -> set[int]:
    with store._database.writing() as connection:
        return {
            version
            for table in VERSIONED
            for version in connection.execute(select(table.c.version).distinct()).scalars()
        }


def publish_and_fail(store: Store, error: type[BaseException]) -> None:
    with store.publish(at=AT, dataset="failed", runs=RUNS) as version:
        version.add_users(user(f"u{n}") for n in range(1500))
        raise error


def test_nothing_is_served_before_the_first_version(store: Store) -> None:
    assert store.current() is None
    assert store.versions() == []
    assert store.board(1, "next") is None


def test_documents_are_given_back_as_they_were_published(store: Store) -> None:
    documents = board(label="“é\0”"), personal("u1"), explanation("i1", "u1"), item("i1", "Amélie"), user("u1")
    with store.publish(at=AT, dataset="films", runs=RUNS) as version:
        version.add_boards([documents[0], board("7d")])
        version.add_lists([documents[1]])
        version.add_explanations([documents[2], explanation("i1", verified=False)])
        version.add_items([documents[3], item("i2")])
        version.add_users([documents[4], user("u2"), user("u3")])
    current = store.current()
    assert current is not None
    assert current.id == version.id
    assert Board.model_validate_json(store.board(version.id, "next") or b"") == documents[0]
    assert PersonalList.model_validate_json(store.list_of(version.id, "u1") or b"") == documents[1]
    assert store.explanation(version.id, "i1", "u1") == documents[2].model_dump_json().encode()
    assert ItemPage.model_validate_json(store.item(version.id, "i1") or b"") == documents[3]
    assert UserPage.model_validate_json(store.user(version.id, "u1") or b"") == documents[4]
    assert store.explanation(version.id, "i1") == explanation("i1", verified=False).model_dump_json().encode()
    assert (current.n_users, current.n_items, current.n_explanations, current.n_unverified) == (3, 2, 2, 1)
    assert (current.dataset, current.at, current.runs, current.windows) == ("films", AT, RUNS, ("next", "7d"))
    assert store.versions() == [current]


def test_what_is_not_there_is_none(store: Store) -> None:
    version = publish(store).id
    strange = "\0", "\ud800", "", "x" * 10_000, "'; DROP TABLE whyrec_users; --"
    assert [store.user(version, user_id) for user_id in strange] == [None] * 5
    assert [store.list_of(version, user_id) for user_id in strange] == [None] * 5
    assert [store.item(version, item_id) for item_id in strange] == [None] * 5
    assert [store.board(version, window) for window in strange] == [None] * 5
    assert store.explanation(version, "i1", "u1", method="\0") is None
    assert store.list_of(version, "u1", "no such method") is None
    assert store.user(version + 1, "u1") is None


def test_without_a_method_the_first_run_that_has_a_list_is_preferred(store: Store) -> None:
    with store.publish(at=AT, dataset="films", runs=RUNS) as version:
        version.add_lists([personal("both", "guided"), personal("both", "curec"), personal("one", "guided")])
        version.add_lists([personal("other", "an unnamed run"), personal("other", "guided")])
        version.add_explanations([explanation("i1", "both", "guided"), explanation("i1", "both", "curec")])

    def method(user_id: str, wanted: str | None = None) -> str:
        return PersonalList.model_validate_json(store.list_of(version.id, user_id, wanted) or b"").method

    assert [method("both"), method("one"), method("other")] == ["curec", "guided", "guided"]
    assert method("both", "guided") == "guided"
    assert method("other", "an unnamed run") == "an unnamed run"
    assert b'"method":"curec"' in (store.explanation(version.id, "i1", "both") or b"")
    assert b'"method":"guided"' in (store.explanation(version.id, "i1", "both", method="guided") or b"")


def test_a_version_is_invisible_until_its_block_ends(store: Store) -> None:
    first = publish(store, label="first")
    with store.publish(at=AT, dataset="second", runs=RUNS) as version:
        version.add_boards([board(label="second")])
        version.add_users(user(f"u{n}") for n in range(2500))
        assert store.current() == first
        assert store.versions() == [first]
    assert [record.dataset for record in store.versions()] == ["second", "first"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_nothing(store: Store, error: type[BaseException]) -> None:
    first = publish(store)
    with pytest.raises(error):
        publish_and_fail(store, error)
    assert store.current() == first
    assert versions_with_rows(store) == {first.id}
    assert publish(store).id == first.id + 2


def test_a_document_that_comes_twice_is_refused_and_leaves_nothing(store: Store) -> None:
    with (
        pytest.raises(InvalidDataError, match=r"version 1, whyrec_lists: expected every user_id, place once"),
        store.publish(at=AT, dataset="films", runs=RUNS) as version,
    ):
        version.add_lists([personal("u1"), personal("u1")])
    assert store.current() is None
    assert versions_with_rows(store) == set()


@pytest.mark.parametrize(
    ("user_id", "message"),
    [("", "user, user_id: expected 1 to 200 characters, got 0"), ("x" * 201, "got 201"), ("a\0b", r"got 'a\\x00b'")],
)
def test_ids_that_cannot_be_keys_are_refused(store: Store, user_id: str, message: str) -> None:
    with (
        pytest.raises(InvalidDataError, match=message),
        store.publish(at=AT, dataset="films", runs=RUNS) as version,
    ):
        version.add_users([user(user_id)])


def test_a_second_publication_at_once_is_refused(store: Store) -> None:
    with store.publish(at=AT, dataset="films", runs=RUNS) as version:
        version.add_users([user("u1")])
        with (
            pytest.raises(OutputWriteError, match="somebody else is publishing or removing versions"),
            store.publish(at=AT, dataset="other", runs=RUNS),
        ):
            pass
        with pytest.raises(OutputWriteError, match="somebody else is publishing"):
            store.retain(1)
    assert [record.dataset for record in store.versions()] == ["films"]


def test_another_process_sees_the_switch(store: Store, store_url: str) -> None:
    with Store.open(store_url, create=False) as other:
        first = publish(store)
        assert other.current() == first
        second = publish(store)
        assert other.current() == second
        assert other.roll_back() == first
        assert store.current() == first


def test_the_one_before_is_the_one_that_was_served_before(store: Store) -> None:
    first, second = publish(store).id, publish(store).id
    assert store.roll_back().id == first
    third = publish(store).id  # made while the first was served: the second was found to be bad
    assert store.roll_back().id == first
    assert store.roll_back(to=third).id == third
    assert store.retain(1) == [second]
    assert [record.id for record in store.versions()] == [third, first]
    with pytest.raises(
        InvalidConfigError, match=rf"expected a version that is kept \({first}, {third}\), got version 2"
    ):
        store.roll_back(to=second)


def test_going_back_is_refused_where_there_is_nothing(store: Store) -> None:
    with pytest.raises(InvalidConfigError, match=r"kept \(none\), got the one before the current"):
        store.roll_back()
    publish(store)
    with pytest.raises(InvalidConfigError, match=r"kept \(1\), got the one before the current"):
        store.roll_back()


def test_rows_of_removed_versions_are_deleted_and_others_stay(store: Store) -> None:
    ids = [publish(store, label=f"v{n}", user_ids=[f"u{m}" for m in range(1500)]).id for n in range(4)]
    assert store.retain(1) == ids[:2]
    assert versions_with_rows(store) == set(ids[2:])
    assert store.list_of(ids[1], "u7") is None
    assert b'"note":"v2"' in (store.list_of(ids[2], "u1499") or b"")
    with pytest.raises(InvalidConfigError, match="keep: expected at least 1 version to keep, got 0"):
        store.retain(0)


def test_times_come_back_in_utc_and_order(store: Store) -> None:
    record = publish(store)
    assert record.created.utcoffset() == timedelta(0)
    assert publish(store).created > record.created


class Model:
    """What a store does, with lists and dictionaries."""

    def __init__(self) -> None:
        self.published: dict[int, int | None] = {}
        self.kept: list[int] = []
        self.current: int | None = None
        self.last = 0

    def publish(self) -> None:
        self.last += 1
        self.published[self.last] = self.current
        self.kept.append(self.last)
        self.current = self.last

    def before(self) -> int | None:
        version = self.current
        while version is not None:
            version = self.published[version]
            if version in self.kept:
                return version
        return None

    def retain(self, n: int) -> list[int]:
        stay = {*self.kept[-n:], self.current, self.before()}
        gone = [version for version in self.kept if version not in stay]
        self.kept = [version for version in self.kept if version in stay]
        return gone


STEPS = st.lists(
    st.one_of(
        st.just(("publish", 0)),
        st.just(("fail", 0)),
        st.just(("back", 0)),
        st.tuples(st.just("to"), st.integers(1, 6)),
        st.tuples(st.just("retain"), st.integers(1, 3)),
    ),
    max_size=10,
)


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_sequence_does_what_the_model_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    model = Model()
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('model') / 'store.sqlite'}") as store:
        for name, n in steps:
            take_step(store, model, name, n=n)
            current = store.current()
            assert (current.id if current else None) == model.current
            assert [record.id for record in store.versions()] == model.kept[::-1]
            assert {v for v in range(1, model.last + 1) if store.user(v, "u1")} == set(model.kept)
        assert versions_with_rows(store) == set(model.kept)


def take_step(store: Store, model: Model, name: str, *, n: int) -> None:
    if name == "publish":
        publish(store)
        model.publish()
    elif name == "fail":
        model.last += 1
        with pytest.raises(ZeroDivisionError):
            publish_and_fail(store, ZeroDivisionError)
    elif name == "retain":
        assert store.retain(n) == model.retain(n)
    else:
        target = n if name == "to" else model.before()
        if target in model.kept:
            assert store.roll_back(n if name == "to" else None).id == target
            model.current = target
        else:
            with pytest.raises(InvalidConfigError):
                store.roll_back(n if name == "to" else None)
