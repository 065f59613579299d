"""References: what they say of an item, and that an explanation survives being told through them."""

import dataclasses
import random
import re
from datetime import UTC, date, datetime

import pytest

from whyrec.data.bundled import bundled_dataset
from whyrec.data.facts import ItemFacts, MonthCount, item_facts
from whyrec.data.windows import WindowLength
from whyrec.errors import InvalidDataError
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.interfaces import Explanation, ForecastPoint
from whyrec.methods.trail.references import MONTHS_BACK, REFERENCE, fill, reference_texts, vocabulary
from whyrec.methods.trail.referring import refer
from whyrec.methods.trail.wording import Voice, counted
from whyrec.methods.trail.writer import write_explanation

MONTH, THIRTY = WindowLength(), WindowLength(30)
CUTOFF = datetime(2013, 11, 7, tzinfo=UTC)


def facts(*users: int, cutoff: datetime = CUTOFF, total: int | None = None) -> ItemFacts:
    """An item whose last month is November 2013, in progress."""
    starts = [datetime(2013, 11 - len(users) + 1 + step, 1, tzinfo=UTC) for step in range(len(users))]
    return ItemFacts(
        item_id="tt1",
        title="Mr. Nobody. Part 2",
        cutoff=cutoff,
        months=tuple(
            MonthCount(MONTH.following(start), count, MONTH.following(start).end <= cutoff)
            for start, count in zip(starts, users, strict=True)
        ),
        recent={3: 0, 7: 1, 14: 5, 30: 1204},
        total_users=sum(users) if total is None else total,
        first_seen=date(2013, starts[0].month, 2) if users else None,
        attributes={
            "year": 2013.0,
            "price": 2.1,
            "genres": ("Drama", "Sci-Fi", "War", "Action", "Crime"),
            "categories": "Films > Long > New",
            "description": "x" * 90,
        },
        mean_rating=7.25 if users else None,
    )


POINT = ForecastPoint("tt1", THIRTY.following(CUTOFF), 1234, 15.4, 8.0, 1500.0)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("{title}", "“Mr. Nobody. Part 2”"),
        ("{people:0}", "nobody"),
        ("{people:-1}", "1 person"),
        ("{users:-1}", "1 user"),
        ("{count:-1}", "1"),
        ("{people:-2}", "80 people"),
        ("{month:-1}", "October"),
        ("{month_year:-2}", "September 2013"),
        ("{month:0}", "November"),
        ("{days:0}", "six"),
        ("{users:peak}", "80 users"),
        ("{month_year:peak}", "September 2013"),
        ("{count:30d}", "1,204"),
        ("{people:7d}", "1 person"),
        ("{people:total}", "121 people"),
        ("{has:total}", "have"),
        ("{day:first}", "2 August 2013"),
        ("{month_year:first}", "August 2013"),
        ("{day:cutoff}", "7 November 2013"),
        ("{people:forecast}", "15 people"),
        ("{count:low}", "8"),
        ("{count:high}", "1,500"),
        ("{rank}", "1,234"),
        ("{window}", "the 30 days from 7 November 2013"),
        ("{rating}", "7.2"),
        ("{attr:year}", "2013"),
        ("{attr:price}", "2.10"),
        ("{attr:genres}", "Drama, Sci-Fi and War"),
        ("{attr:genres:1}", "Sci-Fi"),
        ("{attr:categories:-1}", "New"),
    ],
)
def test_what_each_reference_says(reference: str, said: str) -> None:
    assert fill(f"x {reference} y", facts=facts(40, 80, 1, 0), point=POINT) == f"x {said} y"


def test_a_reference_that_opens_a_sentence_gets_a_capital_letter() -> None:
    text = "[Trend] {people:0} came. {people:0} stayed, and {people:0} left."
    assert fill(text, facts=facts(40, 0), point=POINT) == "[Trend] Nobody came. Nobody stayed, and nobody left."


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("{people:-2}", "got {people:-2}, of which they say nothing"),
        ("{attr:description}", "got {attr:description}, of which they say nothing"),
        ("{people:-9}", "got {people:-9}, which is none"),
        ("{target}", "got {target}, which is none"),
    ],
)
def test_references_that_say_nothing_of_the_item_are_refused(reference: str, problem: str) -> None:
    with pytest.raises(InvalidDataError, match=re.escape(problem)):
        fill(f"It had {reference}.", facts=facts(40, 3), point=POINT)


def test_a_never_seen_item_has_its_catalogue_entry_and_forecast_alone() -> None:
    texts = reference_texts(facts(), POINT)
    forms = {reference.strip("{}").partition(":")[0] for reference in texts}
    assert forms == {"title", "window", "rank", "count", "has", "day", "people", "users", "attr"}
    assert "{day:first}" not in texts
    assert not any(":-1}" in reference for reference in texts if not reference.startswith("{attr:"))


def test_all_references_are_in_the_bounded_vocabulary() -> None:
    known = vocabulary(facts().attributes)
    assert len(known) == len(set(known)) == 6 + 4 + (MONTHS_BACK + 2) * 2 + (MONTHS_BACK + 8) * 3 + 2 + 5 * 5
    for item in (facts(), facts(3), facts(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)):
        assert set(reference_texts(item, POINT)) <= set(known)
    assert all(REFERENCE.fullmatch(reference) for reference in known)


def test_numbers_of_people_are_spelled_as_the_writer_spells_them() -> None:
    voices = [Voice(f"i{n}") for n in range(20)]
    for count in (0, 1, 2, 1204):
        said = {voice.users(count) for voice in voices}
        assert said == {counted(count, plural="people"), counted(count, plural="users")}


def explained(text: str, item: ItemFacts) -> Explanation:
    verdict = verify_explanation(text, facts=item, forecast=POINT)
    assert verdict.verified, verdict.unsupported
    return Explanation("tt1", text, {}, (), verdict, "test")


SOUND = (
    "[Trend] “Mr. Nobody. Part 2” fell from 80 people in September 2013 to 1 in October.\n"
    "[Feature] It is a 2013 release, listed under Drama, Sci-Fi and War.\n"
    "[Integration] The forecast for the 30 days from 7 November 2013 is 15 people."
)


def test_an_explanation_is_told_through_references() -> None:
    item = facts(40, 80, 1, 0)
    assert refer(explained(SOUND, item), facts=item, point=POINT) == (
        "[Trend] {title} fell from {people:-2} in {month_year:-2} to {count:-1} in {month:-1}.\n"
        "[Feature] It is a {attr:year} release, listed under {attr:genres}.\n"
        "[Integration] The forecast for {window} is {people:forecast}."
    )


def test_sentences_that_tell_a_fact_outright_are_left_out_whole() -> None:
    item = facts(40, 80, 1, 0)
    # July 2013 lies before the item's history; 79 is a difference: neither has a reference.
    longer = SOUND.replace(
        "[Feature]", "In October it lost 79 people. It peaked in September 2013 at 80 people.\n[Feature]"
    )
    told = refer(explained(longer, item), facts=item, point=POINT)
    assert told is not None
    assert "lost" not in told
    assert "It peaked in {month_year:peak} at {people:peak}." in told
    only = SOUND.replace("It is a 2013 release, listed under Drama, Sci-Fi and War.", "It is sold for 2.1 dollars.")
    assert refer(explained(only, item), facts=item, point=POINT) is None, "2.1 is not how a price is written"


@pytest.mark.parametrize(
    "sentence",
    [
        "It began small in March.",  # eight complete months ago, and not the peak
        "As an Action film, it finds its friends.",  # neither among the first three genres nor the last
        "It found 40 people.",  # as many as in August and in the last thirty days, but it does not say when
    ],
)
def test_facts_without_a_reference_are_not_told_in_words_either(sentence: str) -> None:
    item = dataclasses.replace(facts(2, 3, 4, 5, 6, 40, 80, 1, 0), recent={3: 0, 7: 1, 14: 5, 30: 40})
    text = SOUND.replace("[Feature]", f"{sentence}\n[Feature]")
    told = refer(explained(text, item), facts=item, point=POINT)
    assert told == refer(explained(SOUND, item), facts=item, point=POINT)
    assert told is not None


def test_equal_numbers_are_told_apart_by_what_the_sentence_counts() -> None:
    # 1 person in October, and 1 in the last seven days.
    item = facts(40, 80, 1, 0)
    text = SOUND.replace("[Feature]", "The last seven days brought 1 person.\n[Feature]")
    told = refer(explained(text, item), facts=item, point=POINT)
    assert told is not None
    assert "The last seven days brought {people:7d}." in told


def test_nobody_stays_a_word_where_the_verb_would_not_fit_other_numbers() -> None:
    item = facts(40, 80, 1, 0)
    text = SOUND.replace("[Feature]", "So far in November, six days in, nobody has chosen it.\n[Feature]")
    told = refer(explained(text, item), facts=item, point=POINT)
    assert told is not None
    assert "So far in {month:0}, {days:0} days in, nobody has chosen it." in told


def test_unverified_explanations_and_missing_sections_are_not_told() -> None:
    item = facts(40, 80, 1, 0)
    wrong = SOUND.replace("80 people", "81 people")
    verdict = verify_explanation(wrong, facts=item, forecast=POINT)
    assert refer(Explanation("tt1", wrong, {}, (), verdict, "test"), facts=item, point=POINT) is None
    assert refer(explained(SOUND.replace("[Feature] ", ""), item), facts=item, point=POINT) is None


def test_the_most_sentences_of_a_section() -> None:
    item = facts(40, 80, 1, 0)
    text = SOUND.replace("[Feature]", "It is falling. It peaked in September 2013. Nobody came in November.\n[Feature]")
    for most in (1, 2, 3):
        told = refer(
            explained(text, item), facts=item, point=POINT, sentences={"Trend": most, "Feature": 1, "Integration": 1}
        )
        assert told is not None
        assert told.partition("\n")[0].count(".") == most


@pytest.mark.parametrize(
    ("cutoff", "length"),
    [(datetime(2013, 10, 1, tzinfo=UTC), MONTH), (datetime(2013, 6, 15, tzinfo=UTC), THIRTY)],
)
def test_the_writers_sentences_survive_on_real_items(cutoff: datetime, length: WindowLength) -> None:
    data, draw = bundled_dataset(), random.Random(0)
    active = data.before(cutoff).collect()["item_id"].value_counts(sort=True)["item_id"].head(800).to_list()
    chosen = sorted({*draw.sample(active, 120), *draw.sample(data.items["item_id"].sort().to_list(), 40)})
    names = Vocabulary.of(data.items)
    n_written = n_kept = 0  # characters
    for item_id, item in item_facts(data, item_ids=chosen, cutoff=cutoff).items():
        expected = item.recent[30] * draw.uniform(0, 2)
        point = ForecastPoint(item_id, length.following(cutoff), draw.randint(1, 9999), expected, expected / 2, 99.0)
        original = write_explanation(item, point, vocabulary=names)
        told = refer(original, facts=item, point=point, sentences={"Trend": 9, "Feature": 9, "Integration": 9})
        assert told is not None, original.text
        filled = fill(told, facts=item, point=point)
        outright = REFERENCE.sub("", told).replace("80%", "")
        assert not re.search(r"\d", outright), told
        # What is filled in is the original less the sentences that were left out.
        rest = original.text
        for sentence in re.split(r"(?<=\.) (?=[A-Z“])|\n?\[\w+\] ", filled):
            assert sentence in rest, (sentence, original.text)
        n_written += len(original.text)
        n_kept += len(filled)
    assert n_kept / n_written > 0.97
