"""The modules on models that are models: a local one, whose likelihoods are read, and one behind a real server.

They are untrained, so that what they say means nothing; the path is what is tested.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mllm3_shop import ITEMS, context, profile

from llm.tiny_model import build_tiny_model
from llm.transformers_server import serving
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.cache import open_cache
from whyrec.llm.local import LocalBackend
from whyrec.llm.model import LanguageModel
from whyrec.llm.openai_compatible.backend import OpenAIBackend
from whyrec.llm.openai_compatible.settings import EndpointSettings
from whyrec.methods.mllm3rec.answers import (
    profile_schema,
    ranking_schema,
    rationale_schema,
    score_schema,
    traits_schema,
    verdict_schema,
)
from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.matching import Candidate, ListwiseMatcher, MatchingTask
from whyrec.methods.mllm3rec.motivations import ProfileExtractor
from whyrec.methods.mllm3rec.prompts import history_side, score_prompt
from whyrec.methods.mllm3rec.rationales import RationaleWriter
from whyrec.methods.mllm3rec.roles import Models
from whyrec.methods.mllm3rec.schema import MotivationSchema, default_schema
from whyrec.methods.mllm3rec.scoring import PointwiseMatcher, likely_scores
from whyrec.methods.mllm3rec.traits import TraitExtractor

FAIR = MotivationSchema.model_validate(
    {"motivation": [{"key": "fun", "name": "fun", "meaning": "It has to be fun.", "descriptions": ["fun"]}]}
)
USER = history_side("H1. Kite")
TASK = MatchingTask("u", USER, tuple(Candidate(it, it) for it in ("soap", "pen", "kite")))


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny", steps=0)


def test_a_local_models_score_is_the_mean_of_what_it_might_write(model_dir: Path) -> None:
    model = LanguageModel(LocalBackend.open(model_dir))
    matcher = PointwiseMatcher(model)
    (found,) = matcher.match([TASK])
    assert model.usage.asked == 0
    assert len(set(found.scores)) == 3
    assert all(0 < score < 100 and score != round(score) for score in found.scores)
    (written,) = PointwiseMatcher(model, reads_probabilities=False).match([TASK])
    assert model.usage.asked == 3
    assert all(score == round(score) for score in written.scores)
    prompts = [Prompt(score_prompt(USER, item=it)) for it in found.item_ids]
    assert isinstance(model.backend, LocalBackend)
    np.testing.assert_allclose(likely_scores(model.backend, prompts), found.scores, atol=1e-4)
    assert likely_scores(model.backend, []).shape == (0,)


def test_a_local_model_that_is_made_to_obey_needs_no_repairs_but_for_doubles(model_dir: Path) -> None:
    model = LanguageModel(LocalBackend.open(model_dir))
    matcher = ListwiseMatcher(model, n_permutations=2, sampling=SamplingConfig(max_tokens=120))
    (found,) = matcher.match([TASK])
    assert sorted(found.item_ids) == ["kite", "pen", "soap"]
    assert not matcher.failures
    assert matcher.repairs["repeated"] == matcher.repairs["missing"]
    assert not matcher.repairs["unknown"]


def test_every_form_can_be_forced(model_dir: Path) -> None:
    """One token each: whatever comes is cut, so the answer cannot be read, but the form was understood."""
    model = LanguageModel(LocalBackend.open(model_dir))
    forms = [
        profile_schema(default_schema(), n_history=20),
        profile_schema(default_schema()),
        traits_schema(),
        ranking_schema([f"C{n:02d}" for n in range(1, 31)]),
        score_schema(),
        rationale_schema(default_schema().keys, n_traits=8),
        verdict_schema(),
    ]
    for form in forms:
        (begun,) = model.complete([Prompt.of("Kite")], schema=form, sampling=SamplingConfig(max_tokens=1))
        assert begun.text.startswith("{")
        assert begun.finish == "length"


@pytest.fixture(scope="module")
def served(model_dir: Path) -> Iterator[OpenAIBackend]:
    with serving(model_dir) as base_url:
        yield OpenAIBackend(settings=EndpointSettings(base_url=base_url, model=str(model_dir), concurrency=2))


@pytest.mark.slow
def test_all_modules_go_through_a_real_endpoint_and_a_second_run_asks_nothing(
    served: OpenAIBackend, tmp_path: Path
) -> None:
    """The server takes the schema and ignores it: every answer is refused and counted, and nothing falls over."""
    short = SamplingConfig(max_tokens=16)
    asked = []
    for _ in range(2):
        with open_cache(tmp_path / "answers.sqlite") as cache:
            models = Models(LanguageModel(served, cache=cache), LanguageModel(served, cache=cache))
            extractor = ProfileExtractor(models.extractor, ITEMS, schema=FAIR, sampling=short)
            assert extractor.extract([context("soap", "kite")]) == [None]
            assert math.isnan(extractor.coherence([context("soap", "kite")])[0])
            encoder = TraitExtractor(models.extractor, ITEMS, sampling=short)
            assert encoder.extract(["soap", "pen"]) == {}
            matcher = ListwiseMatcher(models.ranker, sampling=short)
            (found,) = matcher.match([TASK])
            writer = RationaleWriter(models.ranker, sampling=short)
            traits = {it: ItemTraits(it, (f"fun like a {it}",), "test") for it in found.item_ids}
            (after,), why = writer.reconsider([found], profiles={"u": profile(("fun", 1))}, traits=traits, k=2)
            asked.append((models.extractor.usage.asked, models.ranker.usage.asked))
        assert not found.is_ranked
        assert (after, why) == (found, {})
        assert extractor.failures.total() == 3
        assert encoder.failures.total() == 2
        assert matcher.failures.total() == 3
        assert writer.failures.total() == 2
    # Two of three orders of three candidates may be the same; the same question is asked once.
    n_orders = len({ordering.shown for ordering in found.orderings})
    assert asked == [(5, n_orders + 2), (0, 0)]
    assert models.usage(n_users=1)["cached"].to_list() == [5, 5]
