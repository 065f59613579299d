"""Interactions taken in, searched titles and erased users, in both databases."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.published import AT, RUNS, explanation, item, personal, publish, taken, user
from whyrec.errors import InvalidDataError
from whyrec.serving.documents import NewInteraction, Receipt
from whyrec.serving.store import Store


def test_a_batch_is_kept_once(store: Store) -> None:
    batch = [taken("u1", "i1", rating=4.5), taken("u2", "i1")]
    assert store.take_in(batch, "k1") == Receipt(key="k1", accepted=2, repeated=False)
    assert store.take_in(batch, "k1") == Receipt(key="k1", accepted=2, repeated=True)
    assert [one.interaction for one in store.taken_in()] == batch
    with pytest.raises(InvalidDataError, match="idempotency key 'k1': expected the same interactions"):
        store.take_in(batch[:1], "k1")
    assert store.take_in([], "nothing").accepted == 0


def test_the_same_moment_at_another_offset_is_the_same_batch(store: Store) -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    store.take_in([taken("u1", "i1", at=AT)], "k")
    assert store.take_in([taken("u1", "i1", at=elsewhere)], "k").repeated
    assert [one.interaction.timestamp for one in store.taken_in()] == [AT]


@pytest.mark.parametrize(
    "moment",
    [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), datetime.max.replace(tzinfo=UTC)],
)
def test_times_and_numbers_come_back_exactly(store: Store, moment: datetime) -> None:
    sent = [NewInteraction(user_id="é" * 200, item_id="\U0001f3ac", timestamp=moment, rating=0.1 + 0.2)]
    store.take_in(sent, "k")
    assert [one.interaction for one in store.taken_in()] == sent


@pytest.mark.parametrize(
    ("one", "key", "message"),
    [
        (taken("u1", "i1", at=datetime(2026, 1, 1)), "k", "timestamp: expected a moment with an offset"),  # noqa: DTZ001
        (taken("u\0", "i1"), "k", r"user_id: expected text without a zero character, got 'u\\x00'"),
        (taken("u1", "i\0"), "k", "item_id: expected text without a zero character"),
        (taken("u1", "i1"), "", "idempotency key: expected 1 to 200 characters, got 0"),
        (taken("u1", "i1"), "k" * 201, "idempotency key: expected 1 to 200 characters, got 201"),
    ],
)
def test_a_batch_that_cannot_be_kept_is_refused_whole(
    store: Store, one: NewInteraction, key: str, message: str
) -> None:
    with pytest.raises(InvalidDataError, match=message):
        store.take_in([taken("u0", "i0"), one], key)
    assert list(store.taken_in()) == []


def test_what_was_taken_in_is_paged_in_the_order_of_arrival(store: Store) -> None:
    for n in range(3):
        store.take_in([taken(f"u{n}", f"i{m}") for m in range(900)], f"k{n}")
    everything = list(store.taken_in())
    assert len(everything) == 3 * 900
    assert [one.number for one in everything] == sorted({one.number for one in everything})
    assert [one.interaction.user_id for one in everything[::900]] == ["u0", "u1", "u2"]
    assert list(store.taken_in(after=everything[1799].number)) == everything[1800:]
    assert list(store.taken_in(limit=1500)) == everything[:1500]
    assert list(store.taken_in(limit=0)) == []


def test_what_a_version_knows_is_not_new_to_it(store: Store) -> None:
    store.take_in([taken("u1", "i1"), taken("u2", "i1")], "before")
    last = [one.number for one in store.taken_in()][-1]
    first = publish(store, taken_until=last)
    assert store.taken_by("u1") == []
    store.take_in([taken("u1", "i3"), taken("u1", "i2"), taken("u1", "i3")], "after")
    assert store.taken_by("u1") == ["i3", "i2"]
    assert store.taken_by("nobody") == []
    publish(store)  # says nothing of what was taken in
    assert store.taken_by("u1") == ["i1", "i3", "i2"]
    store.roll_back(first.id)
    assert store.taken_by("u1") == ["i3", "i2"]


def test_before_the_first_version_everything_is_new(store: Store) -> None:
    store.take_in([taken("u1", "i1")], "k")
    assert store.taken_by("u1") == ["i1"]


def test_threads_send_one_batch_each_and_the_same_one(store: Store) -> None:
    receipts: list[Receipt] = []

    def send(n: int) -> None:
        for m in range(5):
            store.take_in([taken(f"u{n}", f"i{m}")], f"{n} {m}")
        receipts.append(store.take_in([taken("all", "i")], "shared"))

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.repeated for receipt in receipts) == [False, True, True, True]
    sent = [(one.interaction.user_id, one.interaction.item_id) for one in store.taken_in()]
    assert sorted(sent) == sorted([("all", "i"), *((f"u{n}", f"i{m}") for n in range(4) for m in range(5))])


TITLES = {
    "i1": ("Schindler’s List", 90),
    "i2": ("Amélie", 40),
    "i3": ("Star Wars", 80),
    "i4": ("Starship Troopers", 85),
    "i5": ("The Star", 99),
    "i6": ("STAR WARS: Ångström", 10),
    "i7": ("Star", 1),
    "i9": ("Lost, Lo and behold: lost", 7),
    "i8": ("Łódź \0 %_", 5),
}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("star", ["i7", "i3", "i6", "i4", "i5"]),  # the title itself, titles that begin with the word, with its start
        ("STAR w", ["i3", "i6"]),
        ("wars star", ["i3", "i6"]),
        ("amelie", ["i2"]),
        ("AMÉ", ["i2"]),
        ("schindlers", ["i1"]),
        ("Schindler's li", ["i1"]),
        ("lodz", ["i8"]),
        ("lo", ["i9", "i8"]),  # once, though several of its words begin so
        ("lo lost", ["i9"]),
        ("angstrom", ["i6"]),
        ("tar", []),
        ("", []),
        ("%", []),
        ("_", ["i8"]),
        ("\0", []),
        ("' OR 1=1", []),
    ],
)
def test_titles_are_found_by_the_beginnings_of_their_words(store: Store, words: str, found: list[str]) -> None:
    with store.publish(at=AT, dataset="films", runs=RUNS) as version:
        version.add_items(item(item_id, title, users=users) for item_id, (title, users) in TITLES.items())
    assert [match.item_id for match in store.search(version.id, words)] == found
    assert store.search(version.id + 1, words) == []


def test_found_titles_are_paged(store: Store) -> None:
    with store.publish(at=AT, dataset="films", runs=RUNS) as version:
        version.add_items(item(f"i{n:02}", f"Part {n:02}", users=n) for n in range(30))
        version.add_items([item("long", "word " * 30_000)])
    pages = [store.search(version.id, "part", limit=12, offset=offset) for offset in (0, 12, 24)]
    assert [match.item_id for page in pages for match in page] == [f"i{n:02}" for n in reversed(range(30))]
    assert store.search(version.id, "part", limit=1)[0].title == "Part 29"


def test_an_erased_user_is_nowhere(store: Store) -> None:
    versions = [publish(store, user_ids=["u1", "u2"]).id for _ in range(2)]
    store.take_in([taken("u1", "i1"), taken("u2", "i1"), taken("u1", "i2")], "k")
    erased = store.erase_user("u1")
    assert (erased.interactions, erased.lists, erased.explanations, erased.profiles) == (2, 2 * 2, 2, 2)
    for version in versions:
        assert store.user(version, "u1") is None
        assert store.list_of(version, "u1") is None
        assert store.explanation(version, "i1", "u1") is None
        assert store.user(version, "u2") is not None
    assert [one.interaction.user_id for one in store.taken_in()] == ["u2"]
    assert store.is_erased(["u1", "u2", "u3"]) == {"u1"}
    many = [f"u{n}" for n in range(200)]
    assert store.is_erased(many) == {"u1"}
    again = store.erase_user("u1")
    assert (again.interactions, again.lists, again.explanations, again.profiles) == (0, 0, 0, 0)


def test_a_number_tells_of_new_erasures(store: Store) -> None:
    assert store.latest_erasure() == 0
    assert store.is_erased([f"u{n}" for n in range(200)]) == set()
    store.erase_user("u1")
    first = store.latest_erasure()
    store.erase_user("u1")
    assert store.latest_erasure() == first > 0
    store.erase_user("u2")
    assert store.latest_erasure() > first


def test_an_erased_user_does_not_come_back(store: Store) -> None:
    publish(store, user_ids=["u1", "u2"])
    store.erase_user("u1")
    record = publish(store, user_ids=["u1", "u2"])
    assert (record.n_users, record.n_explanations) == (1, 1)
    assert store.user(record.id, "u1") is None
    assert store.take_in([taken("u1", "i1"), taken("u2", "i1")], "k").accepted == 1
    assert [one.interaction.user_id for one in store.taken_in()] == ["u2"]


def test_a_user_erased_while_a_version_is_built_is_not_in_it(store: Store) -> None:
    with store.publish(at=AT, dataset="films", runs=RUNS) as version:
        version.add_users(user(f"u{n}") for n in range(1500))  # the first thousand are in the database now
        version.add_lists([personal("u1"), personal("u1400")])
        store.erase_user("u1")
        store.erase_user("u1400")
        version.add_explanations([explanation("i1", "u1"), explanation("i1", "u2"), explanation("i1")])
    assert [store.user(version.id, user_id) for user_id in ("u1", "u1400")] == [None, None]
    assert store.list_of(version.id, "u1") is None
    assert store.explanation(version.id, "i1", "u1") is None
    assert store.explanation(version.id, "i1", "u2") is not None
    assert store.explanation(version.id, "i1") is not None


def test_the_store_does_not_say_who_was_erased(sqlite_store: Store) -> None:
    publish(sqlite_store, user_ids=["a very particular name", "u2"])
    sqlite_store.take_in([taken("a very particular name", "i1")], "k")
    sqlite_store.erase_user("a very particular name")
    path = sqlite_store._database.path
    assert path is not None
    sqlite_store.close()  # what was overwritten is so in the file itself once its log is folded in
    assert b"a very particular name" not in path.read_bytes()
