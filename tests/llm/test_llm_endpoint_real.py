"""The backend against a real server: ``transformers serve`` with the tests' own model.

It takes ``response_format`` and ignores it, leaves the stop text in, and samples only where the model's own settings
say so, whatever the temperature. The model is untrained, so that different prompts have different answers.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers_server import serving

from contracts.language_model import LanguageModelContract
from whyrec.errors import EndpointError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.openai_compatible.backend import OpenAIBackend
from whyrec.llm.openai_compatible.settings import EndpointSettings
from whyrec.llm.structured import JsonSchema

pytestmark = pytest.mark.slow

SHORT = SamplingConfig(max_tokens=24)
PROMPTS = [Prompt.of(title) for title in ("Alien (1979)", "Heat (1995)", "Toy Story (1995)", "Se7en (1995)")]


@pytest.fixture(scope="session")
def base_url(other_model_dir: Path) -> Iterator[str]:
    with serving(other_model_dir) as url:
        yield url


def model_of(base_url: str, other_model_dir: Path, **settings: object) -> LanguageModel:
    given = {"base_url": base_url, "model": str(other_model_dir), "concurrency": 4} | settings
    return LanguageModel(OpenAIBackend(settings=EndpointSettings.model_validate(given)))


class TestTransformersServe(LanguageModelContract):
    forces_schema = False
    samples_by_seed = False

    @pytest.fixture(autouse=True)
    def served(self, base_url: str, other_model_dir: Path) -> None:
        self.settings = EndpointSettings(base_url=base_url, model=str(other_model_dir), concurrency=4)

    def backend(self) -> OpenAIBackend:
        return OpenAIBackend(settings=self.settings)

    def cramped_backend(self) -> OpenAIBackend:
        return OpenAIBackend(settings=self.settings.model_copy(update={"context_tokens": 60}))


def test_same_text_twice_and_one_by_one(base_url: str, other_model_dir: Path) -> None:
    first = model_of(base_url, other_model_dir).complete(PROMPTS, sampling=SHORT)
    second = model_of(base_url, other_model_dir, concurrency=1).complete(PROMPTS[::-1], sampling=SHORT)
    assert [answer.text for answer in first] == [answer.text for answer in second[::-1]]
    assert all(answer.text and answer.finish in ("stop", "length") for answer in first)
    assert len({answer.text for answer in first}) > 1
    assert all(answer.prompt_tokens > 4 and answer.completion_tokens > 1 for answer in first)
    assert all(not answer.note for answer in first)


def test_a_schema_that_the_server_ignores_is_reported_as_failed(base_url: str, other_model_dir: Path) -> None:
    """The model has learnt nothing; the server says nothing about the schema."""
    schema = JsonSchema.of({"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]})
    model = model_of(base_url, other_model_dir)
    completions = model.complete(PROMPTS, schema=schema, sampling=SHORT)
    assert all(completion.failure is not None for completion in completions)
    assert all(completion.value is None and completion.text for completion in completions)
    assert (model.usage.asked, model.usage.failed) == (4, 4)


def test_limits_and_stops_hold(base_url: str, other_model_dir: Path) -> None:
    model = model_of(base_url, other_model_dir)
    (cut,) = model.complete(PROMPTS[:1], sampling=SamplingConfig(max_tokens=2))
    (whole,) = model.complete(PROMPTS[:1], sampling=SHORT)
    end = whole.text[1:3]
    (stopped,) = model.complete(PROMPTS[:1], sampling=SHORT.model_copy(update={"stop": (end,)}))
    assert (cut.completion_tokens, cut.finish) == (2, "length")
    assert whole.text.startswith(cut.text)
    assert len(end) == 2
    assert stopped.text == whole.text.split(end)[0]
    assert stopped.completion_tokens < whole.completion_tokens


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"model": "another"}, r"got 400 \(.*requested 'another'.*\)\. Correct the setting"),
        ({"extra_body": {"top_n": 3}}, r"got 422 \(.*'top_n'.*\)\. Correct the setting"),
    ],
)
def test_refusals_are_told(base_url: str, other_model_dir: Path, settings: dict[str, object], expected: str) -> None:
    with pytest.raises(EndpointError, match=expected):
        model_of(base_url, other_model_dir, **settings).complete(PROMPTS[:1], sampling=SHORT)


def test_a_base_url_without_v1_is_told(base_url: str, other_model_dir: Path) -> None:
    with pytest.raises(EndpointError, match=r"got 404 \(Not Found\)\. Check the model's name and the base URL, .* /v1"):
        model_of(base_url.removesuffix("/v1"), other_model_dir).complete(PROMPTS[:1], sampling=SHORT)
