"""The short prompts of a small model: what they tell, what they must not, and answers that are read strictly."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuning_world import FALLING, RISING, compact_template, sample

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Message
from whyrec.methods.trail.compact import CompactTemplate, attribute_word, attribute_words, change_word
from whyrec.methods.trail.number_words import number_words, word_values
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START, Order

ORDERS: list[Order] = ["score_first", "explanation_first"]
explanations = st.text(st.characters(codec="utf-8", exclude_characters="<>"), min_size=1, max_size=60)


def test_the_prompt_word_for_word() -> None:
    """61 days since 1 September, of which the nearest word is n60; 1155 and 40 + 1155 are both nearest to n1184."""
    assert compact_template().messages(sample()) == (
        Message(
            "user",
            "genres drama sci_fi year 2013 age n60 total n1184 windows n40 n1184 "
            "days n3 n0 n2 sums n5 n5 n5 n5 for nov",
        ),
    )


def test_without_days_and_history_little_is_left_to_tell() -> None:
    new = sample(users=(), daily=(), attributes={})
    assert compact_template(with_daily=False).messages(new)[0].content == "age new total n0 windows for nov"
    assert compact_template().messages(new)[0].content == "age new total n0 windows days sums n0 n0 n0 n0 for nov"


def test_the_newest_windows_and_days_are_told_and_sums_reach_further_back() -> None:
    """Ten days of 1 to 10 users: the last three have 8 + 9 + 10 = 27, the last seven 4 + ... + 10 = 49, all ten 55."""
    given_ = sample(users=tuple(range(1, 10)), daily=tuple(range(1, 11)), attributes={})
    template = CompactTemplate(max_windows=2, days=3)
    assert template.messages(given_)[0].content.partition("windows")[2] == (
        " n8 n9 days n8 n9 n10 sums n27 n48 n54 n54 for nov"
    )


def test_what_was_there_when_the_log_began_has_no_age() -> None:
    known = sample()
    there = dataclasses.replace(known, history=dataclasses.replace(known.history, is_from_start=True))
    assert compact_template().messages(there)[0].content.startswith("genres drama sci_fi year 2013 age old total ")


def test_calendar_months_are_told_where_they_were_counted() -> None:
    known = sample()
    counted = dataclasses.replace(known.history, months=(9, 8, 7), this_month=3)
    template = compact_template(max_windows=2)
    told = template.messages(dataclasses.replace(known, history=counted))[0].content
    assert " windows n40 n1184 months n8 n7 change steady now n3 days " in told
    month_begins = dataclasses.replace(counted, this_month=None)
    assert (
        " months n8 n7 change steady days "
        in template.messages(dataclasses.replace(known, history=month_begins))[0].content
    )


@pytest.mark.parametrize(
    ("older", "newer", "word"),
    [
        (0, 0, "none"),
        (0, 3, "back"),
        (3, 0, "gone"),
        (100, 115, "steady"),
        (100, 120, "up"),
        (100, 199, "up"),
        (100, 200, "doubled"),
        (100, 86, "steady"),
        (100, 80, "down"),
        (100, 50, "down"),
        (100, 49, "halved"),
    ],
)
def test_the_change_between_two_months_in_a_word(older: int, newer: int, word: str) -> None:
    """Steady is within 15% of the larger one, as the offline writer has it."""
    assert change_word(older, newer) == word


@given(target=st.none() | st.integers(0, 10**6), other=st.integers(0, 10**6), weight=st.floats(0.5, 50))
def test_the_prompt_holds_nothing_of_the_target(target: int | None, other: int, weight: float) -> None:
    known = dataclasses.replace(sample(), target=other, weight=weight)
    for template in (compact_template(), compact_template(order="explanation_first", slot="digits")):
        assert template.messages(known) == template.messages(sample(target=target))


def test_a_planted_leak_would_be_seen() -> None:
    """The window that is asked about, put into the history, changes the prompt: so its absence means something."""
    leaked = sample(users=(40, 1155, 12))
    assert compact_template().messages(leaked) != compact_template().messages(sample())


def test_only_known_values_are_told_and_at_most_so_many() -> None:
    given_ = sample(attributes={"year": 1999.0, "genres": ("Drama", "Western", "Sci-Fi"), "country": "France"})
    assert compact_template().messages(given_)[0].content.startswith("genres drama sci_fi age ")
    assert compact_template(max_values=1).messages(given_)[0].content.startswith("genres drama age ")
    assert CompactTemplate().messages(given_)[0].content.startswith("age ")
    unknown = sample(attributes={"genres": ("Western",)})
    assert compact_template().messages(unknown)[0].content.startswith("age ")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, []),
        (2013.0, ["2013"]),
        (12.49, ["12"]),
        (0.0, ["0"]),
        (("Sci-Fi", " Film Noir ", ""), ["sci_fi", "film_noir"]),
        ("Beauty > Skin Care/Face; Oils|Dry", ["beauty", "skin_care", "face", "oils", "dry"]),
        ("ÉTÉ", ["été"]),
    ],
)
def test_values_become_words_without_spaces(value: object, words: list[str]) -> None:
    assert attribute_words(value) == words  # type: ignore[arg-type]
    assert attribute_word("Main Genre") == "main_genre"


@given(st.sampled_from(word_values()), explanations, st.sampled_from(ORDERS))
def test_spans_are_exact_and_reading_gives_back_what_was_written(count: int, explanation: str, order: Order) -> None:
    template = compact_template(order=order)
    answer = template.answer(score=template.score_text(count), explanation=explanation)
    assert answer.text[slice(*answer.score)] == f"n{count}"
    told = explanation.replace("\n", " ").replace("\r", " ")
    assert answer.text[slice(*answer.explanation)] == f"{EXPLANATION_START}{told}{EXPLANATION_END}"
    assert (answer.score < answer.explanation) == (order == "score_first")
    found = template.parse(answer.text)
    assert (found.score, found.explanation, found.failure) == (count, told.strip(), None)


@given(st.integers(0, 10**6), st.sampled_from(ORDERS))
def test_a_spelled_score_round_trips(count: int, order: Order) -> None:
    template = compact_template(order=order, slot="digits")
    answer = template.answer(score=template.score_text(count), explanation=RISING)
    assert answer.text[slice(*answer.score)] == str(count)
    assert template.parse(answer.text).score == count


def test_both_orders_word_for_word() -> None:
    first, last = (compact_template(order=order).answer(score="n12", explanation="So.").text for order in ORDERS)
    assert first == "score n12<exp_start>So.<exp_end>"
    assert last == "<exp_start>So.<exp_end>score n12"


@pytest.mark.parametrize("order", ORDERS)
def test_a_sample_without_an_explanation_teaches_the_score_alone(order: Order) -> None:
    answer = compact_template(order=order).answer(score="n12", explanation="")
    assert answer.text == "score n12"
    assert answer.text[slice(*answer.score)] == "n12"
    assert answer.text[slice(*answer.explanation)] == ""


def test_a_text_before_the_score_begins_every_answer() -> None:
    template = compact_template()
    answer = template.answer(score="n12", explanation=FALLING)
    assert answer.text[: answer.score[0]] == template.score_prefix() == "score "
    with pytest.raises(InvalidConfigError, match="got 'explanation_first'"):
        compact_template(order="explanation_first").score_prefix()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "score n12",
        "n12<exp_start>So.<exp_end>",
        "score n12<exp_start>So.",
        "score n12 <exp_start>So.<exp_end>",
        "score n12<exp_start>So.<exp_end> and more",
        "score n12<exp_start>So<exp_start>.<exp_end>",
        "score n12<exp_start>So.<exp_end>score n12",
        "Score n12<exp_start>So.<exp_end>",
        "score -3<exp_start>So.<exp_end>",
    ],
)
def test_another_form_is_no_answer(text: str) -> None:
    found = compact_template().parse(text)
    assert (found.score, found.explanation) == (None, None)
    assert found.failure == "expected 'score NUMBER' and a marked explanation"


@pytest.mark.parametrize(("slot", "written"), [("word", "12"), ("word", "n31"), ("word", "n007"), ("word", "twelve")])
def test_a_number_that_is_no_word_is_no_answer(slot: str, written: str) -> None:
    assert written not in number_words()
    found = compact_template(slot=slot).parse(f"score {written}<exp_start>So.<exp_end>")
    assert (found.score, found.failure) == (None, f"expected a score as 'n12', got '{written}'")


@pytest.mark.parametrize("written", ["n12", "007", "١٢", "1_000"])
def test_what_is_not_spelled_in_plain_digits_is_no_answer(written: str) -> None:
    found = compact_template(slot="digits").parse(f"<exp_start>So.<exp_end>score {written}")
    assert (found.score, found.failure) == (None, f"expected a score as '12', got '{written}'")


def test_what_would_not_be_read_back_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="without angle brackets, got 'a <b> c'"):
        compact_template().answer(score="n12", explanation="a <b> c")
    with pytest.raises(InvalidDataError, match="expected a score as 'n12', got '12'"):
        compact_template().answer(score="12", explanation="So.")
    with pytest.raises(InvalidDataError, match="expected a score as '12', got 'n12'"):
        compact_template(slot="digits").answer(score="n12", explanation="So.")
