"""The number that is read at the score's place: the mean of a distribution, with its interval, and nothing written."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_forecaster import config
from tuning_world import SMALL, compact_template, sample, scratch_tokenizer

from whyrec.llm.choices import expected_numbers, number_probabilities
from whyrec.llm.local.loading import LoadedModel
from whyrec.methods.trail import readout
from whyrec.methods.trail.backbone import ready
from whyrec.methods.trail.compact import CompactTemplate
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.encoding import Encoder
from whyrec.methods.trail.number_words import number_words, word_values
from whyrec.methods.trail.readout import ScoreReadout, scores_at_slot
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.scratch import build_model

TEMPLATE = compact_template(max_windows=2, with_daily=False)
SAMPLES = [sample(item_id=f"i{n}", users=(3 * n, n + 1), target=None) for n in range(5)]
TOKENIZER = scratch_tokenizer(TEMPLATE, SAMPLES, [])
VALUES = np.array(word_values(), dtype=np.float64)


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    """Untrained, so that its distributions are broad."""
    model = build_model(TOKENIZER, config=SMALL, seed=1).requires_grad_(False)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(8)  # not flat either
    return ready(model, TOKENIZER, name="scratch", config=config())


def encoder(template: CompactTemplate = TEMPLATE) -> Encoder:
    return Encoder(TOKENIZER, template, rendering="plain", max_tokens=128)


def read(
    loaded: LoadedModel, samples: list[Sample], chosen: TrailConfig, *, template: CompactTemplate = TEMPLATE
) -> ScoreReadout:
    begun = [template.score_prefix()] * len(samples)
    return scores_at_slot(loaded, encoder(template), samples, begun=begun, config=chosen)


def distribution(loaded: LoadedModel, given_: Sample) -> np.ndarray:
    """What the model gives each number word after the prompt and the word "score": one pass, by hand."""
    text = encoder().text(given_, begun=TEMPLATE.score_prefix().rstrip())
    ids = torch.tensor([TOKENIZER(text)["input_ids"]])
    words = TOKENIZER.convert_tokens_to_ids([f" {word}" for word in number_words()])
    logits = loaded.rows.model(input_ids=ids).logits[0, -1, words].double()
    return logits.softmax(dim=0).numpy()


def test_the_forecast_is_the_mean_of_the_distribution_over_number_words(loaded: LoadedModel) -> None:
    found = read(loaded, SAMPLES, config())
    by_hand = [float(distribution(loaded, each) @ VALUES) for each in SAMPLES]
    assert len(set(by_hand)) == len(SAMPLES)
    np.testing.assert_allclose(found.expected, by_hand, rtol=1e-4)


def test_the_likeliest_forecast_is_the_peak(loaded: LoadedModel) -> None:
    found = read(loaded, SAMPLES, config(readout="likeliest"))
    assert found.expected.tolist() == [VALUES[distribution(loaded, each).argmax()] for each in SAMPLES]
    assert (found.expected != read(loaded, SAMPLES, config()).expected).all()


def test_spelled_scores_are_those_of_number_probabilities(loaded: LoadedModel) -> None:
    """The most that any item had is 12, three times that is 36: numbers up to 36 are admitted."""
    template = compact_template(max_windows=2, with_daily=False, slot="digits")
    found = read(loaded, SAMPLES, config({"slot": "digits"}), template=template)
    prefixes = [encoder(template).text(each, begun=template.score_prefix()) for each in SAMPLES]
    numbers = list(range(37))
    probabilities = number_probabilities(loaded.rows.model, TOKENIZER, prefixes, numbers=numbers, prune=1e-3)
    np.testing.assert_allclose(found.expected, expected_numbers(probabilities, numbers), rtol=1e-6)
    assert found.high.max() <= 36


@pytest.mark.parametrize(("users", "largest"), [((), 30), ((9,), 30), ((11, 2), 33), ((5000,), 9999)])
def test_spelled_scores_reach_three_times_the_most_and_thirty_at_least(users: tuple[int, ...], largest: int) -> None:
    admitted = readout._spelled([sample(users=users), sample(users=(1,))])
    assert admitted.tolist() == list(range(largest + 1))


def planted(monkeypatch: pytest.MonkeyPatch, probabilities: np.ndarray) -> list[list[str]]:
    """Let the model say this of the distinct prompts, and note them."""
    asked: list[list[str]] = []

    def say(_model: Any, _tokenizer: Any, prefixes: list[str], **_: Any) -> np.ndarray:
        asked.append(list(prefixes))
        return probabilities[: len(prefixes)]

    monkeypatch.setattr(readout, "choice_probabilities", say)
    return asked


def test_the_interval_is_from_the_tenth_to_the_ninetieth_percent(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words n0, n1, n2 and n3 with .05, .5, .34 and .11: the mean is .5 + .68 + .33, the tenth 1, the ninetieth 3."""
    probabilities = np.zeros((1, len(VALUES)))
    probabilities[0, :4] = 0.05, 0.5, 0.34, 0.11
    planted(monkeypatch, probabilities)
    found = read(loaded, SAMPLES[:1], config())
    assert found.expected[0] == pytest.approx(0.5 + 2 * 0.34 + 3 * 0.11)
    assert (found.low[0], found.high[0]) == (1.0, 3.0)


@settings(max_examples=40)
@given(arrays(np.float64, len(VALUES), elements=st.floats(0, 1)), st.sampled_from(["expected", "likeliest"]))
def test_the_interval_holds_the_forecast(weights: np.ndarray, which: str) -> None:
    """Long tails too, whose mean is above their ninth tenth."""
    raw = weights**8
    raw[7] += 1e-9
    with pytest.MonkeyPatch.context() as patch:
        planted(patch, (raw / raw.sum())[None])
        bare: Any = SimpleNamespace(rows=SimpleNamespace(model=None), tokenizer=TOKENIZER)
        found = read(bare, SAMPLES[:1], config(readout=which))
    assert 0 <= found.low[0] <= found.expected[0] <= found.high[0] <= VALUES[-1]


def test_items_of_which_the_same_is_known_are_asked_about_once(loaded: LoadedModel) -> None:
    """Three items with one history make one row of one forward pass, and one and the same forecast."""
    alike = [sample(item_id=name, users=(4, 4), target=None) for name in "abc"]
    rows: list[int] = []
    hook = loaded.rows.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    try:
        found = read(loaded, [alike[0], SAMPLES[2], *alike[1:]], config())
    finally:
        hook.remove()
    assert rows == [2]
    assert found.expected[0] == found.expected[2] == found.expected[3] != found.expected[1]


def test_forecasts_stand_in_the_order_of_the_samples(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = np.eye(len(VALUES))
    asked = planted(monkeypatch, probabilities)
    found = read(loaded, [SAMPLES[3], SAMPLES[1], SAMPLES[3], SAMPLES[0]], config())
    assert [len(prefixes) for prefixes in asked] == [3]
    assert found.expected.tolist() == [0.0, 1.0, 0.0, 2.0]
