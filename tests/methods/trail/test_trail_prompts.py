"""TRAIL's prompts and answers: exact texts, exact spans, the same template for training and inference."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.data.item_histories import ItemHistory
from whyrec.data.windows import Window, WindowLength
from whyrec.errors import InvalidConfigError, InvalidDataError, PromptTooLongError
from whyrec.llm.base import Message
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START, Order, PaperTemplate, timestamp_text
from whyrec.methods.trail.samples import Sample

MONTH = WindowLength()
CUTOFF = datetime(2013, 11, 1, tzinfo=UTC)
ORDERS: list[Order] = ["score_first", "explanation_first"]
# A target that can be told from every other number below.
TARGET = 98765


def sample(*, title: str = "Gravity", users: tuple[int, ...] = (40, 1155), target: int | None = TARGET) -> Sample:
    windows: list[Window] = []
    for _ in users:
        windows.insert(0, MONTH.preceding(windows[0].start if windows else CUTOFF))
    history = ItemHistory(
        item_id="tt1454468",
        title=title,
        attributes={"year": 2013.0, "genres": ("Drama", "Sci-Fi")},
        cutoff=CUTOFF,
        windows=tuple(windows),
        users=users,
        daily=(3, 0, 2),
        total_users=sum(users),
        first_seen=windows[0].start if windows else None,
    )
    return Sample(history, MONTH.following(CUTOFF), target)


SYSTEM = """\
You are a movie popularity analyst. From what is known of one movie, predict its popularity score: how many people \
will choose it in the period that <InferenceTimestamp> names. Give your reasons.
<PopularityHistory> counts the people who chose the movie in each period before the prediction, oldest first; a period \
is named by its month or by its first day.
Answer with one valid JSON object and nothing else. It has exactly two keys, in this order: "predict_popularity_score" \
and "explanation_of_score".
"predict_popularity_score": a number that is not negative, written as a string.
"explanation_of_score": a string that begins with <exp_start>, ends with <exp_end> and has three sections in this order:
[Trend] what the history shows, in concrete numbers: the latest value, peaks, lows, rises or falls. Where there is no \
history, say so.
[Feature] at least two attributes from <MovieDescription> (genre, director, cast, year of release, story) and what \
they mean for demand.
[Integration] both together, and why the score is reasonable at <InferenceTimestamp>."""
USER = """\
<MovieDescription>title: Gravity
year: 2013
genres: Drama, Sci-Fi</MovieDescription>
<PopularityHistory>2013-09: 40
2013-10: 1155</PopularityHistory>
<InferenceTimestamp>2013-11</InferenceTimestamp>"""
ANSWER = (
    '{"predict_popularity_score": "300", "explanation_of_score": '
    '"<exp_start>[Trend] It \\"rose\\". [Feature] A \\\\ B. [Integration] So.<exp_end>"}'
)
BLIND_SYSTEM = """\
You are a baby product popularity analyst. Explain how the demand for one baby product has developed, and what that \
lets one expect in the period that <PredictTimestamp> names.
<HistoricalPopularityTrends> counts the people who chose the baby product in each period before the prediction, oldest \
first; a period is named by its month or by its first day.
Write three short sections in plain text, in this order, each beginning with its tag:
[Trend] what the history shows, in concrete numbers: the latest value, peaks, lows, rises or falls. Where there is no \
history, say so.
[Feature] at least two attributes from <ProductDescription> (brand, category, age group, safety, price) and what they \
mean for demand.
[Integration] both together, and why demand may rise, hold or fall at <PredictTimestamp>.
Use only what the inputs say. Name no number for the coming period, and no month after it."""
PRODUCT_USER = """\
<ProductDescription>title: Gravity
year: 2013
genres: Drama, Sci-Fi</ProductDescription>
<HistoricalPopularityTrends>2013-09: 40
2013-10: 1155
last 3 days, day by day: 3 0 2</HistoricalPopularityTrends>
<PredictTimestamp>2013-11</PredictTimestamp>"""


def test_the_movie_prompt_word_for_word() -> None:
    assert PaperTemplate("movies").messages(sample()) == (Message("system", SYSTEM), Message("user", USER))


def test_the_blind_prompt_for_products_word_for_word() -> None:
    template = PaperTemplate("baby", with_daily=True)
    assert template.explanation_prompt(sample()) == (Message("system", BLIND_SYSTEM), Message("user", PRODUCT_USER))


def test_the_answer_word_for_word() -> None:
    answer = PaperTemplate().answer(score="300", explanation='[Trend] It "rose".\n[Feature] A \\ B.\n[Integration] So.')
    assert answer.text == ANSWER


def test_an_item_without_history_is_called_just_released() -> None:
    user = PaperTemplate("movies").messages(sample(users=()))[1].content
    assert "<PopularityHistory>just released, no historical trend</PopularityHistory>" in user


@pytest.mark.parametrize("domain", ["movies", "beauty", "baby", "generic"])
def test_the_tags_that_the_task_names_are_those_of_the_inputs(domain: str) -> None:
    system, user = PaperTemplate(domain).messages(sample())  # type: ignore[arg-type]
    opened = re.findall(r"^<(\w+)>", user.content, re.MULTILINE)
    assert len(opened) == 3
    assert set(re.findall(r"<(\w+)>", system.content)) == {*opened, "exp_start", "exp_end"}
    assert all(user.content.count(f"<{tag}>") == user.content.count(f"</{tag}>") == 1 for tag in opened)


titles = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.sampled_from(
    ["<exp_end>", 'He said "no"', "</MovieDescription>", "{title}", "C:\\films", "Line\nbreak", "<EXP_START>"]
)


@settings(max_examples=50)
@given(title=titles, order=st.sampled_from(ORDERS), with_daily=st.booleans(), target=st.integers(0, 50))
def test_the_prompt_is_the_same_whatever_came_after_it(title: str, order: Order, with_daily: bool, target: int) -> None:
    template = PaperTemplate("movies", order=order, with_daily=with_daily)
    to_forecast = sample(title=title, target=None)
    to_learn = dataclasses.replace(to_forecast, target=target, weight=3.0)
    for ask in (template.messages, template.explanation_prompt):
        assert ask(to_learn) == ask(to_forecast)
        known = "".join(message.content for message in ask(to_learn))
        assert str(TARGET) not in "".join(message.content for message in ask(sample(title="x")))
        # What a title says cannot close a block or look like an explanation.
        assert known.count("</MovieDescription>") == 1
        assert "<exp_end>" not in ask(to_learn)[1].content.lower()


words = st.text(st.characters(codec="utf-8"), max_size=60).filter(lambda text: "<exp_" not in text)
scores = st.integers(0, 10**8).map(str) | st.sampled_from(["0", "5.5", "0.25"])


@given(score=scores, explanation=words, order=st.sampled_from(ORDERS))
def test_spans_cut_the_answer_exactly_and_parsing_gives_it_back(score: str, explanation: str, order: Order) -> None:
    template = PaperTemplate(order=order)
    answer = template.answer(score=score, explanation=explanation)
    assert answer.text[slice(*answer.score)] == score
    quoted = answer.text[slice(*answer.explanation)]
    assert quoted.startswith(EXPLANATION_START)
    assert quoted.endswith(EXPLANATION_END)
    said = explanation.replace("\n", " ").replace("\r", " ")
    assert json.loads(f'"{quoted}"') == f"{EXPLANATION_START}{said}{EXPLANATION_END}"
    assert answer.text[answer.explanation[0] - 1] == answer.text[answer.explanation[1]] == '"'
    parsed = template.parse(answer.text)
    assert (parsed.score, parsed.explanation, parsed.failure) == (float(score), said, None)
    assert list(json.loads(answer.text)) == list(json.loads(template.answer_schema().text)["properties"])


def test_the_prefix_ends_where_the_digits_begin() -> None:
    template = PaperTemplate()
    answer = template.answer(score="42", explanation="x")
    assert answer.text.startswith(template.score_prefix())
    assert answer.score[0] == len(template.score_prefix())
    with pytest.raises(InvalidConfigError, match=r"expected order 'score_first' .*, got 'explanation_first'"):
        PaperTemplate(order="explanation_first").score_prefix()


@pytest.mark.parametrize("score", ["", "-1", "1e3", "1,204", "07", "nan", "inf", " 5", "5\n", "5."])
def test_a_score_that_is_no_plain_number_is_refused(score: str) -> None:
    with pytest.raises(InvalidDataError, match="expected a score of digits"):
        PaperTemplate().answer(score=score, explanation="x")
    answer = json.dumps({"predict_popularity_score": score, "explanation_of_score": "<exp_start>x<exp_end>"})
    assert "predict_popularity_score" in (PaperTemplate().parse(answer).failure or "")


@pytest.mark.parametrize("explanation", ["a <exp_end> b", "<exp_start>a<exp_end>"])
def test_a_marker_inside_an_explanation_is_refused(explanation: str) -> None:
    with pytest.raises(InvalidDataError, match="expected an explanation without <exp_start> and <exp_end>"):
        PaperTemplate().answer(score="1", explanation=explanation)


SOUND = '{"predict_popularity_score": "5", "explanation_of_score": "<exp_start>x<exp_end>"}'


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (SOUND + " ...", "no JSON"),
        (SOUND[:-1], "no JSON"),
        ("Sure! " + SOUND, "no JSON"),
        ("[1, 2]", "no JSON object"),
        ("7", "no JSON object"),
        ('[["predict_popularity_score", "5"]]', "no JSON object"),
        (SOUND.replace('"5"', "5"), "expected digits in a string"),
        (SOUND.replace('"5"', "null"), "expected digits in a string"),
        (SOUND[:-1] + ', "note": "x"}', "expected the keys"),
        (SOUND.replace("{", '{"predict_popularity_score": "9", '), "once each"),
        ('{"predict_popularity_score": "5"}', "expected the keys"),
        (SOUND.replace("<exp_end>", ""), "<exp_end> last"),
        (SOUND.replace("<exp_start>", "so: <exp_start>"), "<exp_start> first"),
        (SOUND.replace("x<", "x<exp_start>y<"), "each marker once"),
        (SOUND.replace('"<exp_start>x<exp_end>"', "[]"), "expected a string, got list"),
    ],
)
def test_answers_that_are_not_as_asked_say_so_and_give_nothing(text: str, failure: str) -> None:
    assert PaperTemplate().parse(SOUND).failure is None
    parsed = PaperTemplate().parse(text)
    assert failure in (parsed.failure or "")
    assert (parsed.score, parsed.explanation) == (None, None)


@pytest.mark.parametrize("order", ORDERS)
def test_the_schema_takes_what_training_shows_and_no_other_sections(order: Order) -> None:
    template = PaperTemplate(order=order)
    explanation = (
        '[Trend] It rose from 40 to 1,155.\n[Feature] A “Drama”, "really".\n[Integration] It should rise again.'
    )
    template.answer_schema().parse(template.answer(score="12", explanation=explanation).text)
    for wrong in (explanation.replace("[Feature] ", ""), "Because it is good, and so are all of its kind.", ""):
        with pytest.raises(ValueError, match="explanation_of_score"):
            template.answer_schema().parse(template.answer(score="12", explanation=wrong).text)


def words_of(messages: tuple[Message, ...]) -> int:
    return sum(len(message.content.split()) for message in messages)


def test_length_is_made_by_leaving_out_the_oldest_windows_first_then_the_description() -> None:
    template = PaperTemplate("movies")
    long = sample(title="Gravity " * 30, users=tuple(range(100, 120)))
    full = words_of(template.messages(long))
    assert template.fit_length(long, max_tokens=full, count_tokens=words_of) == template.messages(long)
    # A window is two words: three of them have to go for five words less, the oldest ones.
    shorter = template.fit_length(long, max_tokens=full - 5, count_tokens=words_of)
    assert words_of(shorter) == full - 6
    assert not any(f": {users}" in shorter[1].content for users in (100, 101, 102))
    assert all(f": {users}" in shorter[1].content for users in range(103, 120))
    assert ("Gravity " * 30).strip() in shorter[1].content
    shortest = template.fit_length(long, max_tokens=full - 50, count_tokens=words_of)
    assert words_of(shortest) <= full - 50
    assert re.findall(r": (\d+)<?", shortest[1].content.partition("<PopularityHistory>")[2]) == ["119"]
    assert 1 <= shortest[1].content.count("Gravity") < 30
    assert shortest[0] == template.messages(long)[0], "the task is never cut"
    with pytest.raises(PromptTooLongError, match="expected at most 20 tokens, got more even with one window"):
        template.fit_length(long, max_tokens=20, count_tokens=words_of)


def test_a_window_that_is_no_month_is_named_by_its_first_day() -> None:
    start = datetime(2013, 10, 8, tzinfo=UTC)
    assert timestamp_text(Window(start, start + timedelta(days=30))) == "2013-10-08, for 30 days"
    assert timestamp_text(MONTH.following(CUTOFF)) == "2013-11"
