"""Explanations by the tuned model: every one is verified, or it is the offline writer's and says so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from small_forecaster import config

from contracts.forecaster import CUTOFF, small_world
from whyrec.data.dataset import Dataset
from whyrec.data.facts import ItemFacts
from whyrec.errors import InvalidConfigError, UnknownIdError
from whyrec.evaluation.asking import ATTEMPTS
from whyrec.evaluation.verification import Vocabulary
from whyrec.interfaces import Claim, Explanation, Verdict
from whyrec.llm.base import Completion, Prompt, SamplingConfig
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.model import LanguageModel
from whyrec.llm.structured import OutputSchema, failure_of
from whyrec.methods.trail import explaining
from whyrec.methods.trail.explaining import WritingCounts
from whyrec.methods.trail.model import Told, TrailForecaster
from whyrec.methods.trail.references import fill
from whyrec.methods.trail.writer import WRITER, write_explanation, write_verified

TRUE = (
    "[Trend] The last seven days brought {people:7d}. [Feature] It is listed under {attr:genres}. "
    "[Integration] The forecast is {users:forecast}."
)
WRONG = TRUE.replace("{people:7d}", "1,234 people")
UNKNOWN = TRUE.replace("{people:7d}", "{people:99d}")
NONSENSE = "tree tree tree"
UNFINISHED = "[Trend] It rose. [Feature] It is"


@dataclass
class Script:
    """What the model says instead, and what it was asked."""

    say: Callable[[int, int], str]
    """From round and place to the answer."""
    finish: str = "stop"
    rounds: list[tuple[Sequence[Prompt], SamplingConfig]] = field(default_factory=list)

    def complete(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None = None, sampling: SamplingConfig
    ) -> list[Completion]:
        self.rounds.append((prompts, sampling))
        texts = [self.say(len(self.rounds) - 1, place) for place in range(len(prompts))]
        checked = [failure_of(schema, text, finish=self.finish) for text in texts]
        return [
            Completion(text, value, failure, self.finish, 1, 1, cached=False, writer="scripted")
            for text, (value, failure) in zip(texts, checked, strict=True)
        ]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return small_world()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Script]:
    def put(say: Callable[[int, int], str] | str, **options: Any) -> Script:
        script = Script((lambda *_: say) if isinstance(say, str) else say, **options)
        monkeypatch.setattr(LanguageModel, "complete", lambda _self, *given, **named: script.complete(*given, **named))
        return script

    return put


def explained(forecaster: TrailForecaster, data: Dataset, **options: Any) -> Told:
    told = forecaster.explain(data, at=CUTOFF, **{"k": 4, **options})
    assert_sound(told, forecaster)
    return told


def explanations(told: Told) -> list[Explanation]:
    return [item.explanation for item in told.forecast.items]


def assert_sound(told: Told, forecaster: TrailForecaster) -> None:
    """What holds whatever the model says."""
    counts, found = told.counts, explanations(told)
    by_model = [each for each in found if each.writer == forecaster.writer]
    assert all(each.verdict.verified for each in by_model)
    assert all(each.writer == WRITER for each in found if each not in by_model)
    assert counts.asked == len(found)
    assert counts.by_model == len(by_model)
    assert counts.at_once <= counts.by_model <= counts.asked
    assert counts.asked <= counts.attempts <= counts.asked * ATTEMPTS
    assert counts.attempts == counts.by_model + counts.unreadable + counts.refused
    assert counts.unresolved <= counts.unreadable
    assert counts.numbers_right <= counts.numbers <= counts.asked


# --- what becomes of what the model says -----------------------------------------------------------------------------


def test_a_true_text_is_taken_at_once_with_the_facts_filled_in(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    script = scripted(TRUE)
    told = explained(fitted_forecaster, data, item_ids=["p01", "p02"])
    assert [each.writer for each in explanations(told)] == [fitted_forecaster.writer] * 2
    assert told.counts == WritingCounts(asked=2, attempts=2, at_once=2, by_model=2, numbers=2, numbers_right=2)
    assert len(script.rounds) == 1
    for item in told.forecast.items:
        filled = fill(TRUE, facts=item.facts, point=item.point)
        assert item.explanation.text == filled.replace(" [", "\n[")
        assert list(item.explanation.sections) == ["Trend", "Feature", "Integration"]
        assert item.explanation.sections["Trend"] == filled[len("[Trend] ") : filled.index(" [Feature]")]
        assert {claim.kind for claim in item.explanation.verdict.claims} >= {"number", "attribute"}


@pytest.mark.parametrize("said", [NONSENSE, UNFINISHED, "", "[Trend] x. [Integration] y. [Feature] z."])
def test_a_model_that_writes_nonsense_is_replaced_throughout(
    said: str, fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    scripted(said)
    told = explained(fitted_forecaster, data)
    assert {each.writer for each in explanations(told)} == {WRITER}
    assert all(each.verdict.verified for each in explanations(told))
    assert told.counts == WritingCounts(asked=4, attempts=12, unreadable=12)
    assert told.counts.summary() == (
        "4 asked for: 0 by the model (0 at once), 4 left to the offline writer; of 12 attempts 12 could not be read, 0 "
        "were refused, 0 named facts that are not there"
    )


def test_a_text_that_was_cut_is_none_even_if_it_is_true(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    scripted(TRUE, finish="length")
    assert explained(fitted_forecaster, data).counts == WritingCounts(asked=4, attempts=12, unreadable=12)


def test_a_wrong_number_is_refused_and_counted(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    scripted(WRONG)
    told = explained(fitted_forecaster, data)
    assert {each.writer for each in explanations(told)} == {WRITER}
    assert "1,234" not in "".join(each.text for each in explanations(told))
    assert (told.counts.refused, told.counts.numbers, told.counts.numbers_right) == (12, 4, 0)
    assert told.counts.refused_kinds == {"number": 12}


def test_without_references_braces_are_text_that_claims_nothing_true(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Free text is verified as it stands: the offline writer's own passes, a made-up number does not."""
    asked: list[Any] = []
    monkeypatch.setattr(fitted_forecaster, "config", config({"references": False}))
    real = explaining.write_explanations

    def noted(items: Sequence[Any], *given: Any, **named: Any) -> Any:
        asked.extend(items)
        return real(items, *given, **named)

    monkeypatch.setattr(explaining, "write_explanations", noted)
    scripted(lambda _round, place: write_explanation(asked[place].facts, asked[place].point).text.replace("\n", " "))
    told = explained(fitted_forecaster, data)
    assert told.counts.by_model == 4
    scripted(WRONG.replace("{attr:genres}", "drama").replace("{users:forecast}", "high"))
    assert explained(fitted_forecaster, data).counts.refused == 12


def test_references_to_facts_that_are_not_there_are_counted(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    """A name that is none, and one that says nothing of an item that nobody has chosen."""
    scripted(UNKNOWN)
    assert explained(fitted_forecaster, data).counts == WritingCounts(
        asked=4, attempts=12, unreadable=12, unresolved=12
    )
    scripted(TRUE.replace("The last seven days brought {people:7d}", "{month_year:-1} brought {people:-1}"))
    told = explained(fitted_forecaster, data, item_ids=["p01", "n0"])
    assert [each.writer for each in explanations(told)] == [fitted_forecaster.writer, WRITER]
    assert (told.counts.unresolved, told.counts.by_model, told.counts.attempts) == (3, 1, 4)


def test_only_what_failed_is_asked_again_and_with_other_seeds(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    """The second of four is wrong at first, then lacks a section, then is right; the first attempt is the likeliest."""
    script = scripted(
        lambda number, place: (WRONG, UNFINISHED, TRUE)[number] if (number, place) != (0, 0) and place < 2 else TRUE
    )
    told = explained(fitted_forecaster, data)
    assert [len(prompts) for prompts, _ in script.rounds] == [4, 1, 1]
    assert [(sampling.seed, sampling.temperature > 0) for _, sampling in script.rounds] == [
        (0, False),
        (1, True),
        (2, True),
    ]
    (first, again, last) = (prompts for prompts, _ in script.rounds)
    assert again[0].messages == last[0].messages == first[1].messages
    assert [first[1].sample, again[0].sample, last[0].sample] == [0, 1, 2]
    counts = told.counts
    assert (counts.by_model, counts.at_once, counts.refused, counts.unreadable, counts.attempts) == (4, 3, 1, 1, 6)
    assert (counts.numbers, counts.numbers_right) == (4, 3)


def test_the_answer_has_begun_with_the_forecast_of_the_item(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    script = scripted(TRUE)
    told = explained(fitted_forecaster, data)
    for prompt, item in zip(script.rounds[0][0], told.forecast.items, strict=True):
        score = fitted_forecaster.template_.score_text(item.point.expected)
        assert prompt.messages[-1].content == f"score {score}<exp_start>"


def test_texts_before_the_score_are_empty_where_one_is_not_whole(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    scripted(lambda _round, place: (TRUE, NONSENSE, UNFINISHED, TRUE)[place])
    samples = fitted_forecaster.samples(data, at=CUTOFF)[:4]
    model = explaining.language_model(fitted_forecaster._model(), config=fitted_forecaster.config, cache=None)
    texts = explaining.texts_before_scores(samples, model, fitted_forecaster.encoder(), config=fitted_forecaster.config)
    assert texts == [TRUE, "", "", TRUE]


# --- the model itself ------------------------------------------------------------------------------------------------


def test_whatever_the_model_writes_is_verified_or_replaced(fitted_forecaster: TrailForecaster, data: Dataset) -> None:
    told = explained(fitted_forecaster, data, k=6)
    assert all(each.verdict.verified for each in explanations(told))
    assert [item.point.rank for item in told.forecast.items] == [1, 2, 3, 4, 5, 6]
    again = explained(fitted_forecaster, data, k=6)
    assert explanations(again) == explanations(told)
    assert again.counts == told.counts


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many prompts the backend is given, call by call."""
    lengths: list[int] = []
    real = LocalBackend.answer

    def noted(self: LocalBackend, prompts: Sequence[Prompt], **options: Any) -> Any:
        lengths.append(len(prompts))
        return real(self, prompts, **options)

    monkeypatch.setattr(LocalBackend, "answer", noted)
    return lengths


def test_what_was_answered_once_is_not_asked_again(
    fitted_forecaster: TrailForecaster, data: Dataset, asked: list[int], tmp_path: Path
) -> None:
    cache = tmp_path / "completions.sqlite"
    first = explained(fitted_forecaster, data, cache=cache)
    assert asked[0] == 4
    n = len(asked)
    second = explained(fitted_forecaster, data, cache=cache)
    assert len(asked) == n
    assert explanations(second) == explanations(first)
    assert second.counts == first.counts


def test_an_estimate_counts_the_first_round_and_asks_nothing(
    fitted_forecaster: TrailForecaster, data: Dataset, asked: list[int], tmp_path: Path
) -> None:
    cache = tmp_path / "completions.sqlite"
    estimate = fitted_forecaster.estimate(data, at=CUTOFF, k=4, cache=cache)
    assert (estimate.prompts, estimate.cached, estimate.to_ask, estimate.cost) == (4, 0, 4, 0.0)
    assert estimate.completion_tokens == 4 * 100, "the most that may be written"
    assert estimate.prompt_tokens > 4 * 20
    assert asked == []
    explained(fitted_forecaster, data, cache=cache, k=3)
    later = fitted_forecaster.estimate(data, at=CUTOFF, item_ids=["p00", "p01", "p02"], cache=cache)
    top = fitted_forecaster.estimate(data, at=CUTOFF, k=4, cache=cache)
    assert later.prompts == 3
    assert (top.cached, top.to_ask) == (3, 1)


# --- which items -----------------------------------------------------------------------------------------------------


def test_items_are_told_in_the_order_asked_for_each_once(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    scripted(TRUE)
    told = explained(fitted_forecaster, data, item_ids=["p04", "n1", "p04", "p00"])
    assert [each.item_id for each in explanations(told)] == ["p04", "n1", "p00"]
    ranking = told.forecast.ranking
    for item in told.forecast.items:
        row = ranking.filter(item_id=item.point.item_id)
        assert (item.point.rank, item.point.expected) == (row["rank"].item(), row["expected"].item())
        assert item.drivers == ()
    assert ranking.height == 14


def test_mistakes_are_named_before_anything_is_asked(
    fitted_forecaster: TrailForecaster, data: Dataset, scripted: Callable[..., Script]
) -> None:
    script = scripted(TRUE)
    with pytest.raises(UnknownIdError, match="expected an item_id of the catalogue, got 'zz'"):
        fitted_forecaster.explain(data, at=CUTOFF, item_ids=["p01", "zz"])
    for ask in (fitted_forecaster.explain, fitted_forecaster.estimate):
        with pytest.raises(InvalidConfigError, match=r"got 0\. Choose a positive k"):
            ask(data, at=CUTOFF, k=0)
    assert script.rounds == []


# --- the offline writer's several tries ------------------------------------------------------------------------------


def test_the_offline_writer_is_given_the_first_phrasing_that_passes(
    fitted_forecaster: TrailForecaster, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it passes is decided by the seed here: seeds 0 and 1 do not, 2 does."""
    _, (item,) = fitted_forecaster._asked(data, at=CUTOFF, item_ids=["p01"], k=1)
    vocabulary = Vocabulary.of(data.items)
    tried: list[int] = []
    passes = {2}

    def write(facts: Any, point: Any, drivers: Any, *, seed: int = 0, vocabulary: Any) -> Explanation:
        tried.append(seed)
        written = write_explanation(facts, point, drivers, seed=seed, vocabulary=vocabulary)
        if seed in passes:
            return written
        return Explanation(written.item_id, "?", {}, (), type(written.verdict)(()), written.writer)

    monkeypatch.setattr("whyrec.methods.trail.writer.write_explanation", write)
    assert write_verified(item.facts, item.point, vocabulary=vocabulary).verdict.verified
    assert tried == [0, 1, 2]
    passes.clear()
    failed = write_verified(item.facts, item.point, vocabulary=vocabulary)
    assert not failed.verdict.verified, "never called verified when it is not"
    passes.add(0)
    tried.clear()
    assert write_verified(item.facts, item.point, vocabulary=vocabulary).verdict.verified
    assert tried == [0]


@pytest.mark.parametrize(
    ("trend", "total_users", "is_good"),
    [
        ("Interest rose from 12 people to 30", 42, True),
        ("It is a 2013 release", 42, False),
        ("Nobody has chosen it yet", 0, True),
        ("Interest rose and and and rose to 30 people", 42, False),
    ],
)
def test_a_true_text_that_says_nothing_is_not_good(trend: str, total_users: int, is_good: bool) -> None:
    text = f"[Trend] {trend}.\n[Feature] It is a drama.\n[Integration] 30 people are expected."
    number = Claim("number", "30", text.find("30"), text.find("30") + 2, supported=True)
    attribute = Claim("attribute", "drama", text.index("drama"), text.index("drama") + 5, supported=True)
    explanation = Explanation("a", text, {}, (), Verdict((number, attribute)), "model")
    facts = ItemFacts("a", "A", CUTOFF, (), {}, total_users, None)
    assert explaining._says_something(explanation, facts) is is_good
