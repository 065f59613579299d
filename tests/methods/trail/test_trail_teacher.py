"""Teachers: what they write is verified, says nothing of the future, and is worth learning."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trail_world import day, with_events, world, worlds

from whyrec.data.bundled import bundled_dataset
from whyrec.data.dataset import Dataset
from whyrec.data.facts import item_facts
from whyrec.data.windows import WindowLength
from whyrec.errors import InvalidDataError
from whyrec.evaluation.verification import Vocabulary, verify_explanation
from whyrec.interfaces import ForecastPoint
from whyrec.llm.base import Prompt
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.trail.prompts import PaperTemplate
from whyrec.methods.trail.references import REFERENCE, fill, vocabulary
from whyrec.methods.trail.sample_facts import facts_of_samples
from whyrec.methods.trail.samples import Sample, SampleConfig, training_samples
from whyrec.methods.trail.teacher import ModelTexts, model_teacher, offline_teacher

THIRTY = WindowLength(30)
OCTOBER = datetime(2013, 10, 1, tzinfo=UTC)


def draw(data: Dataset, *, until_day: int = 120, per_item: int = 10) -> list[Sample]:
    config = SampleConfig(per_item=per_item, zero_share=0.9, weigh_zeros=False)
    return training_samples(data, until=day(until_day), length=THIRTY, config=config)


@settings(max_examples=30)
@given(data=worlds)
def test_the_facts_of_samples_are_those_of_their_items_at_their_cutoffs(data: Dataset) -> None:
    samples = draw(data)
    for sample, facts in zip(samples, facts_of_samples(samples, data), strict=True):
        item_id = sample.history.item_id
        assert facts == item_facts(data, item_ids=[item_id], cutoff=sample.window.start)[item_id]


@settings(max_examples=30)
@given(data=worlds, later=st.sampled_from([0, 5]))
def test_no_fact_of_a_sample_is_later_than_its_cutoff(data: Dataset, later: int) -> None:
    samples = [sample for sample in draw(data) if sample.window.start == day(60)]
    known = facts_of_samples(samples, data)
    others = draw(data)
    for read_with in (samples, [*samples, *others]):
        leaking = with_events(data, at=day(60) + timedelta(hours=later))
        assert facts_of_samples(read_with, leaking)[: len(samples)] == known
    if samples:
        assert facts_of_samples(samples, with_events(data, at=day(60) - timedelta(hours=1))) != known


def rising_world() -> Dataset:
    """i0 has 1, 2, 3 and 4 users in four windows of thirty days; i3 has its first two in the last of them."""
    events = [(user, 0, 24 * 30 * window + user) for window in range(4) for user in range(window + 1)]
    return world([*events, (0, 3, 24 * 100), (1, 3, 24 * 101)])


def sample_of(item_id: str, *, start_day: int = 90) -> Sample:
    return next(
        sample
        for sample in draw(rising_world())
        if sample.history.item_id == item_id and sample.window.start == day(start_day)
    )


def test_the_offline_teacher_speaks_of_the_target_as_the_forecast() -> None:
    samples = [sample_of("i0"), sample_of("i3")]
    texts = offline_teacher(samples, rising_world(), as_references=False)
    assert list(texts) == [0, 1]
    assert "For the 30 days from 31 March 2020 the forecast is about 4 users." in texts[0]
    assert "the forecast is about 2 users" in texts[1]
    assert not re.search(r"rank|80%|eight", "".join(texts.values()), re.IGNORECASE), "no target tells these"


@pytest.mark.parametrize("as_references", [True, False])
def test_every_text_of_the_offline_teacher_passes_the_verification(*, as_references: bool) -> None:
    data = bundled_dataset()
    config = SampleConfig(max_samples=80, step_days=10, seed=3)
    samples = training_samples(data, until=OCTOBER, length=THIRTY, config=config)
    names = Vocabulary.of(data.items)
    texts = offline_teacher(samples, data, as_references=as_references, vocabulary=names)
    assert len(texts) >= 0.95 * len(samples) > 70
    known = set(vocabulary(["year", "genres"]))
    for position, facts in enumerate(facts_of_samples(samples, data)):
        if position not in texts:
            continue
        sample, text = samples[position], texts[position]
        # Interval and rank are the model's own at inference: any will do.
        point = ForecastPoint(facts.item_id, sample.window, 77, float(sample.target or 0), 1.0, 1e6)
        if as_references:
            assert set(REFERENCE.findall(text)) <= known
            assert not re.search(r"\d", REFERENCE.sub("", text).replace("80%", ""))
            text = fill(text, facts=facts, point=point)
        verdict = verify_explanation(text, facts=facts, forecast=point, vocabulary=names)
        assert verdict.verified, (text, verdict.unsupported)
        assert re.match(r"\[Trend\] .+\n\[Feature\] .+\n\[Integration\] .+", text)
        template = PaperTemplate("movies")
        answer = template.answer(score=str(sample.target), explanation=texts[position])
        template.answer_schema().parse(answer.text)


def test_the_future_changes_no_text_but_the_stated_target() -> None:
    data = rising_world()
    samples = [sample_of("i0", start_day=60)]
    told = offline_teacher(samples, data, as_references=False)
    assert told == offline_teacher(samples, with_events(data, at=day(60)), as_references=False)
    assert told != offline_teacher(samples, with_events(data, at=day(59)), as_references=False)


def test_phrasings_differ_between_the_cutoffs_of_an_item() -> None:
    data = bundled_dataset()
    config = SampleConfig(max_samples=30, step_days=15, per_item=10, zero_share=0.0)
    samples = training_samples(data, until=OCTOBER, length=THIRTY, config=config)
    openings = {text.partition(".")[0] for text in offline_teacher(samples, data, as_references=True).values()}
    assert len({sample.history.item_id for sample in samples}) < len(openings)


def test_samples_without_a_target_are_refused() -> None:
    blind = dataclasses.replace(sample_of("i0"), target=None)
    with pytest.raises(InvalidDataError, match=r"sample 1 \(item 'i0'\): expected a target to explain, got none"):
        offline_teacher([sample_of("i0"), blind], rising_world(), as_references=True)


# At the cut-off, 31 March: two users of i0 in January, none in February, three in the last thirty days.
SOUND = (
    "[Trend] North rose from 2 users in January 2020 to 3 in the last thirty days.\n"
    "[Feature] It is a 2018 release, listed under Drama.\n"
    "[Integration] The upward trend of a recent Drama lets one expect more in April 2020."
)


def ask(*answers: str, sample: Sample | None = None) -> ModelTexts:
    samples = [sample or sample_of("i0")] * len(answers)
    # One prompt asked twice is asked once: the samples must differ for each answer to be used.
    histories = [
        dataclasses.replace(one.history, attributes={**one.history.attributes, "note": "z" * (n + 1)})
        for n, one in enumerate(samples)
    ]
    distinct = [dataclasses.replace(one, history=its) for one, its in zip(samples, histories, strict=True)]
    model = LanguageModel(ScriptedBackend(answers))
    return model_teacher(model, distinct, rising_world(), template=PaperTemplate("movies"))


def test_a_sound_text_of_the_model_is_kept() -> None:
    result = ask(SOUND)
    assert result == ModelTexts({0: SOUND}, asked=1, refused={})


@pytest.mark.parametrize(
    ("said", "instead", "reason"),
    [
        ("April 2020", "May 2020", "month"),  # after the window, which ends on 30 April
        ("expect more in April 2020", "expect 4 users in April 2020", "future"),  # right, but not to be known
        ("expect more in April 2020", "expect about 4 users", "future"),
        ("expect more in April 2020", "expect 40 users in April 2020", "number"),
        ("2 users in January", "4 users in January", "number"),
        ("rose from 2 users", "fell from 2 users", "direction"),
        ("listed under Drama", "listed under Comedy", "attribute"),
        ("[Trend] North", "[Trend] “South”", "title"),
        ("[Feature]", "Feature:", "sections"),
        ("[Trend]", "[Integration]", "sections"),
    ],
)
def test_what_the_model_says_wrongly_or_cannot_know_is_refused(said: str, instead: str, reason: str) -> None:
    assert said in SOUND
    result = ask(SOUND.replace(said, instead), SOUND)
    assert (list(result.texts), result.asked) == ([1], 2)
    assert reason in result.refused


def test_a_text_that_claims_nothing_or_was_cut_is_refused() -> None:
    empty = "[Trend] It moves on. [Feature] It is what it is. [Integration] We shall see."
    assert ask(empty).refused == {"no claims": 1}
    long = SOUND + " It is good." * 600
    assert ask(long).refused == {"cut": 1}


def test_thoughts_before_the_answer_are_no_part_of_it() -> None:
    assert ask(f"Let me see: 99 users in May 2021?\n</think>\n\n{SOUND}").texts == {0: SOUND}


def test_the_model_is_asked_blind() -> None:
    asked: list[Prompt] = []

    def answer(prompt: Prompt) -> str:
        asked.append(prompt)
        return SOUND

    sample = dataclasses.replace(sample_of("i0"), target=98765)
    model_teacher(LanguageModel(ScriptedBackend(answer)), [sample], rising_world(), template=PaperTemplate("movies"))
    assert [prompt.messages for prompt in asked] == [PaperTemplate("movies").explanation_prompt(sample)]
    assert "98765" not in repr(asked)
