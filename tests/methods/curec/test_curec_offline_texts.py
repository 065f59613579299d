"""Patterns and reasons without a language model: true, checked, varied, within their length, blind to the future."""

import random
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from curec_films import END, FILMS, START, films, history
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.errors import InvalidDataError, NotFittedError, UnknownIdError
from whyrec.methods.curec.histories import Interaction, UserHistory, read_user_histories
from whyrec.methods.curec.offline import OfflineTextConfig, OfflineWriter
from whyrec.methods.curec.patterns import PatternWriter
from whyrec.methods.curec.reasons import ReasonRequest, ReasonWriter

CONFIG = OfflineTextConfig(keyword_min_items=2, keyword_max_share=0.5, newest=6)
WRITER = OfflineWriter(CONFIG).fit(films(), until=END)
LETTERS = "".join(FILMS["item_id"])


def request(items: str, target: str, *, user_id: str = "u") -> ReasonRequest:
    return ReasonRequest(Interaction(user_id, target, END), history(items, user_id=user_id), None)


def reason(items: str, target: str, *, writer: OfflineWriter = WRITER, user_id: str = "u") -> str:
    [written] = writer.write_reasons([request(items, target, user_id=user_id)])
    return written.text


def test_the_writer_keeps_the_contracts_of_patterns_and_reasons() -> None:
    patterns: PatternWriter = WRITER
    reasons: ReasonWriter = WRITER
    [pattern] = patterns.write_patterns([history("abce")])
    [found] = reasons.write_reasons([request("abce", "d")])
    assert (pattern.user_id, pattern.n_items, pattern.until) == ("u", 4, history("abce").until)
    assert (found.item_id, found.user_id, found.timestamp) == ("d", "u", END)
    assert pattern.writer == found.writer == "offline"
    assert pattern.verified
    assert found.verified


@given(items=st.text(LETTERS, min_size=1, max_size=14), seed=st.integers(0, 3), second=st.booleans())
def test_every_pattern_is_verified_and_within_its_length(items: str, seed: int, second: bool) -> None:
    writer = variant(seed=seed, address="second" if second else "third")
    [pattern] = writer.write_patterns([history(items)])
    assert pattern.verified
    assert len(pattern.text.split()) <= 120
    assert not stutters(pattern.text)


@given(
    items=st.text(LETTERS, max_size=14), target=st.sampled_from(LETTERS), seed=st.integers(0, 3), second=st.booleans()
)
def test_every_reason_is_verified_and_within_its_length(items: str, target: str, seed: int, second: bool) -> None:
    writer = variant(seed=seed, address="second" if second else "third")
    [found] = writer.write_reasons([request(items, target)])
    assert found.verified
    assert len(found.text.split()) <= 60
    assert WRITER.table_ is not None
    assert WRITER.table_.titles[LETTERS.index(target) + 1] in found.text
    assert not stutters(found.text)


SHOP = pl.DataFrame(
    {
        "item_id": [f"{number:02}" for number in range(24)],
        "title": [f"{('Blue', 'Red')[n % 2]} Tin {'Lantern' if n % 3 else 'Basket, L'} No. {n}" for n in range(24)],
        "brand": ["Acme", "Bodum & Sons", "Cosy, Inc.", None] * 6,
        "categories": ["Home > Light", "Home > Storage > Baskets", "Garden > Storage"] * 8,
        "price": [float(number) + 0.5 for number in range(23)] + [None],
        "colour": ["red", "blue"] * 12,
    }
)  # fmt: skip
_SHOPPERS = pl.DataFrame(
    [(f"s{user}", f"{(user * step) % 24:02}", START) for user in range(12) for step in range(1, 6)],
    schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Datetime("us", "UTC")},
    orient="row",
)
SHOP_WRITER = OfflineWriter(OfflineTextConfig(keyword_min_items=2, keyword_max_share=0.7, newest=8)).fit(
    Dataset.from_frames(_SHOPPERS, SHOP, name="shop"), until=END
)


@given(items=st.lists(st.integers(0, 23), max_size=12), target=st.integers(0, 23))
def test_texts_about_products_are_verified_too(items: list[int], target: int) -> None:
    """Brands with commas, categories as paths, prices, colours, words of names, items bought again."""
    times = history("a" * len(items)).timestamps
    past = UserHistory("u", tuple(f"{number:02}" for number in items), times)
    asked = ReasonRequest(Interaction("u", f"{target:02}", END), past, None)
    [found] = SHOP_WRITER.write_reasons([asked])
    assert found.verified
    assert len(found.text.split()) <= 60
    assert not stutters(found.text)
    for pattern in SHOP_WRITER.write_patterns([past] if items else []):
        assert pattern.verified
        assert not stutters(pattern.text)


def variant(**changes: object) -> OfflineWriter:
    """The fitted writer with other settings."""
    key = str(sorted(changes.items()))
    if key not in _VARIANTS:
        _VARIANTS[key] = OfflineWriter(CONFIG.model_copy(update=changes)).fit(films(), until=END)
    return _VARIANTS[key]


_VARIANTS: dict[str, OfflineWriter] = {}


def stutters(text: str) -> bool:
    """A word twice in a row, a space before a stop, an open bracket or an empty quotation."""
    words = text.casefold().replace(",", "").split()
    doubled = any(first == second for first, second in pairwise(words))
    return doubled or any(slip in text for slip in ("  ", " .", " ,", "..", ",,", "“”", "None", " ;"))


def test_a_reason_names_a_shared_aspect_examples_and_a_fact_of_the_item() -> None:
    text = reason("abce", "d")
    assert "western" in text.casefold()
    assert "“Dusty Road”" in text
    assert any(title in text for title in ("Alpha Trail", "Bitter Creek", "The Canyon"))
    assert "Mary Wood" in text or "1971" in text or "outlaw" in text


def test_a_pattern_tells_interests_with_counts_and_titles_of_the_history_only() -> None:
    [pattern] = WRITER.write_patterns([history("abcde")])
    assert "westerns" in pattern.text.casefold()
    assert "four of the five" in pattern.text.casefold()
    later = set(LETTERS) - set("abcde")
    titles = FILMS.filter(pl.col("item_id").is_in(later))["title"].str.replace(r" \(\d+\)$", "")
    assert not any(title in pattern.text for title in titles)


def test_long_histories_are_counted_at_their_end() -> None:
    [pattern] = WRITER.write_patterns([history("efgefgabcdab")])
    assert "all of the last six" in pattern.text.casefold()  # abcdab are all westerns


def test_nothing_in_common_is_said_honestly() -> None:
    text = reason("efg", "i")
    assert "none of the three films so far" in text
    assert "new" in text


def test_what_the_history_has_less_of_than_others_is_no_interest() -> None:
    """One drama of five, where the average user has (1/4 + 1/4 + 2/4 + 1/4 + 1/4 + 1/4 + 1/4 + 2/4) / 9 = 0.28."""
    text = reason("abcij", "l")
    assert "“Lone Letter” is a drama, as is one of the five films so far, fewer than usual" in text


def test_a_film_taken_before_is_said_to_be() -> None:
    assert "was chosen before" in reason("efl", "l")


def test_the_first_interaction_and_a_single_one_are_told_as_such() -> None:
    assert "no films so far" in reason("", "a").casefold()
    [pattern] = WRITER.write_patterns([history("a")])
    assert pattern.text.startswith("The only film so far is “Alpha Trail”")


def test_items_of_which_the_catalogue_says_nothing() -> None:
    items = pl.DataFrame({"item_id": ["x", "y", "z"], "title": ["Ex", "Why", "Zed"]})
    log = pl.DataFrame({"user_id": ["u", "v"], "item_id": ["x", "y"], "timestamp": [START, START]})
    writer = OfflineWriter().fit(
        Dataset.from_frames(log.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))), items), until=END
    )
    [found] = writer.write_reasons([ReasonRequest(Interaction("u", "z", END), history("xy"), None)])
    assert found.text == "The catalogue says nothing of “Zed” that would tie it to the two items so far."
    [pattern] = writer.write_patterns([history("xy")])
    assert "“Why”" in pattern.text
    assert found.verified
    assert pattern.verified


def test_shared_aspects_are_weighed_and_say_what_bears_them_out() -> None:
    shared = WRITER.aspects_of(["a", "b", "c", "e"], "d")
    by_value = {found.aspect.value: found for found in shared}
    western = by_value["Western"]
    assert (western.count, western.n, western.label) == (3, 4, "westerns")
    assert western.item_ids == ("c", "b", "a")
    assert western.weight > 0
    assert "Comedy" not in by_value  # the history's, not the item's
    assert [found.weight > 0 for found in shared] == sorted((found.weight > 0 for found in shared), reverse=True)


def test_the_average_user_is_learned_before_the_cut_off_only() -> None:
    """A horde of comedy lovers after the cut-off changes nothing; let in by a later cut-off, it does."""
    flooded = films(later="efg" * 30)
    blind = OfflineWriter(CONFIG).fit(flooded, until=END)
    seeing = OfflineWriter(CONFIG).fit(flooded, until=END.replace(year=2003))
    assert blind.shares_ is not None
    assert WRITER.shares_ is not None
    assert seeing.shares_ is not None
    assert blind.shares_.tolist() == WRITER.shares_.tolist()
    assert seeing.shares_.tolist() != WRITER.shares_.tolist()
    assert blind.catalogue_ is not None
    assert WRITER.catalogue_ is not None
    assert blind.catalogue_.average == WRITER.catalogue_.average
    texts = [pattern.text for writer in (blind, WRITER) for pattern in writer.write_patterns([history("abefg")])]
    assert texts[0] == texts[1]


@given(items=st.text(LETTERS, min_size=1, max_size=8), later=st.text(LETTERS, max_size=8))
def test_what_a_user_takes_later_is_not_in_the_text(items: str, later: str) -> None:
    whole = history(items + later)
    moment = whole.timestamps[len(items) - 1] + (END - START) / 10_000
    [early] = WRITER.write_patterns([whole.before(moment)])
    [alone] = WRITER.write_patterns([history(items)])
    assert early == alone


def test_a_leaked_title_would_not_be_verified() -> None:
    """The same reason with a title that comes only later is refused, so a leak cannot pass as verified."""
    text = "Like “Iron Stars”, “Kepler” is a science fiction film."
    assert WRITER.verify(text, history=["j", "i"], item_id="k").verified
    assert not WRITER.verify(text, history=["j"], item_id="k").verified


def test_wordings_vary_with_the_user_and_repeat_with_the_seed() -> None:
    texts = [reason("abce", "d", user_id=f"u{number}") for number in range(40)]
    assert len({text.split(" ")[0] for text in texts}) >= 3
    assert len(set(texts)) >= 4
    assert texts == [reason("abce", "d", user_id=f"u{number}") for number in range(40)]
    assert texts != [reason("abce", "d", writer=variant(seed=1), user_id=f"u{number}") for number in range(40)]


def test_one_at_a_time_equals_all_at_once() -> None:
    requests = [request(items, target) for items in ("", "a", "abc", "efgh") for target in "dhk"]
    assert WRITER.write_reasons(requests) == [found for one in requests for found in WRITER.write_reasons([one])]


def test_to_you_it_speaks_of_you() -> None:
    texts = " ".join(reason("abce", "d", writer=variant(address="second"), user_id=f"u{n}") for n in range(40))
    assert "You turn to" in texts
    assert "this viewer" not in texts.casefold()


def test_unchecked_texts_are_not_called_verified() -> None:
    [found] = variant(check=False).write_reasons([request("abce", "d")])
    assert not found.verified
    assert found.text == reason("abce", "d")


def test_items_outside_the_fitted_catalogue() -> None:
    with pytest.raises(UnknownIdError, match="expected an item of the fitted catalogue, got 'new'"):
        WRITER.write_reasons([request("ab", "new")])
    unknown = UserHistory("u", ("new", *"abc"), (START, *history("abc").timestamps))
    [with_unknown] = WRITER.write_patterns([unknown])
    [without] = WRITER.write_patterns([history("abc")])
    assert replace(with_unknown, n_items=3) == without
    assert WRITER.verify(without.text, history=unknown.item_ids).verified


def test_misuse_is_told_plainly() -> None:
    with pytest.raises(NotFittedError, match=r"got a new one\. Call fit first"):
        OfflineWriter().write_patterns([history("a")])
    with pytest.raises(InvalidDataError, match="expected a history, got an empty one"):
        WRITER.write_patterns([history("")])
    with pytest.raises(InvalidDataError, match="expected a catalogue with items, got none"):
        OfflineWriter().fit(Dataset.from_frames(films().interactions, FILMS.clear()), until=END)
    assert WRITER.write_patterns([]) == []
    assert WRITER.write_reasons([]) == []


def requests_of(data: Dataset, *, n: int, seed: int) -> list[ReasonRequest]:
    histories = read_user_histories(data, until=END.replace(year=2100))
    rng = random.Random(seed)
    users = rng.sample([user for user, past in histories.items() if len(past) > 3], n)
    drawn = []
    for user_id in users:
        past = histories[user_id]
        place = rng.randrange(2, len(past))
        moment = past.timestamps[place]
        drawn.append(ReasonRequest(Interaction(user_id, past.item_ids[place], moment), past.before(moment), None))
    return drawn


def test_texts_about_real_films_are_verified_at_the_first_attempt_and_falsehoods_are_caught() -> None:
    data = bundled_dataset()
    cut_off = END.replace(year=2100)
    writer = OfflineWriter(OfflineTextConfig(check=False)).fit(data, until=cut_off)
    assert_true_texts_pass_and_planted_falsehoods_do_not(writer, requests_of(data, n=250, seed=4), least=150)


@pytest.mark.shared_data
def test_texts_about_films_with_plots_and_people(shared_data) -> None:  # type: ignore[no-untyped-def]
    ratings = pl.read_parquet(shared_data / "ml1m" / "ratings.parquet").drop_nulls("timestamp")
    log = ratings.filter(pl.col("rating") > 3, pl.col("user") <= 400).select(
        user_id=pl.col("user").cast(pl.String),
        item_id=pl.col("movie").cast(pl.String),
        timestamp=pl.from_epoch("timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC"),
    )
    texts = pl.read_parquet(shared_data / "ml1m" / "items_text.parquet")
    items = texts.select(
        pl.col("movie").cast(pl.String).alias("item_id"), "title", "year", "genres", "director", "actors", "plot"
    )
    data = Dataset.from_frames(log, items, name="ml1m")  # fmt: skip
    writer = OfflineWriter(OfflineTextConfig(check=False)).fit(data, until=END.replace(year=2100))
    assert_true_texts_pass_and_planted_falsehoods_do_not(writer, requests_of(data, n=150, seed=5), least=150)


def assert_true_texts_pass_and_planted_falsehoods_do_not(
    writer: OfflineWriter, requests: list[ReasonRequest], *, least: int
) -> None:
    """A genre or director that the item lacks, a title never taken, a count that is off by one: each is caught."""
    rng = random.Random(6)
    table = writer.table_
    assert table is not None
    planted: dict[str, list[bool]] = {}
    for asked, found in zip(requests, writer.write_reasons(requests), strict=True):
        past, target = asked.history.item_ids, asked.interaction.item_id
        assert writer.verify(found.text, history=past, item_id=target).verified, found.text
        for kind, false in falsehoods(found.text, writer=writer, past=past, target=target, rng=rng):
            planted.setdefault(kind, []).append(not writer.verify(false, history=past, item_id=target).verified)
    for kind in {"genre", "title", "count"}:
        assert len(planted[kind]) >= 30, planted.keys()
    caught = [is_caught for found in planted.values() for is_caught in found]
    assert len(caught) >= least
    assert sum(caught) == len(caught), {kind: f"{sum(found)}/{len(found)}" for kind, found in planted.items()}
    for pattern, asked in zip(
        writer.write_patterns([asked.history for asked in requests if len(asked.history)]),
        [asked for asked in requests if len(asked.history)],
        strict=True,
    ):
        assert writer.verify(pattern.text, history=asked.history.item_ids).verified, pattern.text


def falsehoods(
    text: str, *, writer: OfflineWriter, past: tuple[str, ...], target: str, rng: random.Random
) -> list[tuple[str, str]]:
    """Copies of a true text with one thing wrong each."""
    table = writer.table_
    assert table is not None
    item = writer.item_ids_.index(target)
    own = {table.aspects[number] for number in table.of(item)}
    planted = []
    for kind, pattern in (("genre", "{} film"), ("director", "by {}")):
        others = [aspect.value for aspect in table.aspects if aspect.kind == kind and aspect not in own]
        for aspect in own:
            said = pattern.format(aspect.value.lower() if kind == "genre" else aspect.value)
            plain = [value for value in others if value.isalpha() or kind == "director"]
            if aspect.kind == kind and said in text and plain:
                other = rng.choice(plain)
                wrong = pattern.format(other.lower() if kind == "genre" else other)
                planted.append((kind, text.replace(said, wrong)))
    seen = {table.titles[writer.item_ids_.index(item_id)] for item_id in (*past, target)}
    for title in {quoted.split("”")[0] for quoted in text.split("“")[1:]} & seen - {table.titles[item]}:
        stranger = rng.choice([other for other in table.titles[1:] if other not in seen and len(other) > 3])
        planted.append(("title", text.replace(f"“{title}”", f"“{stranger}”")))
    for right, wrong in (
        ("two of the", "three of the"),
        ("three of the", "two of the"),
        ("five of the", "four of the"),
    ):
        if right in text:
            planted.append(("count", text.replace(right, wrong, 1)))
    return planted
