import hashlib

import pytest

from contracts.language_model import LanguageModelContract
from whyrec.errors import InvalidConfigError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend


def answer(prompt: Prompt) -> str:
    return hashlib.sha256(prompt.messages[-1].content.encode()).hexdigest()[:6]


class TestScripted(LanguageModelContract):
    forces_schema = False
    samples_by_seed = False

    def backend(self) -> ScriptedBackend:
        return ScriptedBackend(answer)

    def cramped_backend(self) -> ScriptedBackend:
        return ScriptedBackend(answer, context_tokens=60)


def test_a_list_is_replayed_in_order_and_runs_out() -> None:
    model = LanguageModel(ScriptedBackend(["one", "two"]))
    assert [a.text for a in model.complete([Prompt.of("a"), Prompt.of("b")])] == ["one", "two"]
    with pytest.raises(InvalidConfigError, match="expected at most 2 prompts, got one more"):
        model.complete([Prompt.of("c")])


def test_a_long_answer_is_cut_at_the_limit() -> None:
    model = LanguageModel(ScriptedBackend(["one two three"]))
    (found,) = model.complete([Prompt.of("a")], sampling=SamplingConfig(max_tokens=2))
    assert (found.text, found.finish, found.completion_tokens) == ("one two", "length", 2)
