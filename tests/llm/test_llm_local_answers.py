import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from whyrec.data.bundled import bundled_dataset
from whyrec.errors import InvalidConfigError, InvalidModelError, PromptTooLongError
from whyrec.llm.base import GREEDY, Answer, Message, Prompt, SamplingConfig
from whyrec.llm.local import LocalBackend, LocalSettings
from whyrec.llm.model import LanguageModel

INSTRUCTION = "Name the genres and the year of the film, and nothing else. Separate genres by commas. The film:"
SHORT = SamplingConfig(max_tokens=24)
LIVELY = SamplingConfig(max_tokens=24, temperature=1.0, seed=3)


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    """Lengths from 5 to 150 tokens; some share an instruction, some share nothing, some are samples of one."""
    drawn = random.Random(0)
    titles = bundled_dataset().items.sort("item_id")["title"].to_list()[:400]
    told = [Prompt.of(" / ".join(drawn.sample(titles, drawn.randint(1, 8))), system=INSTRUCTION) for _ in range(12)]
    plain = [Prompt.of(title) for title in drawn.sample(titles, 12)]
    mixed = [*told, *plain, *Prompt.of(titles[0], system=INSTRUCTION).samples(4)]
    drawn.shuffle(mixed)
    return mixed


def answers(backend: LocalBackend, prompts: Sequence[Prompt], sampling: SamplingConfig = SHORT) -> list[Answer]:
    found = dict(backend.answer(prompts, schema=None, sampling=sampling))
    assert sorted(found) == list(range(len(prompts)))
    return [found[position] for position in range(len(prompts))]


def texts(backend: LocalBackend, prompts: Sequence[Prompt], sampling: SamplingConfig = SHORT) -> list[str]:
    return [answer.text for answer in answers(backend, prompts, sampling)]


@pytest.fixture(scope="module")
def alone(tiny_backend: LocalBackend, prompts: list[Prompt]) -> dict[SamplingConfig, list[str]]:
    return {way: [texts(tiny_backend, [prompt], way)[0] for prompt in prompts] for way in (SHORT, LIVELY)}


@pytest.mark.parametrize("sampling", [SHORT, LIVELY], ids=["greedy", "sampled"])
@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_batch_size": 3},
        {"token_budget": 400},
        {"token_budget": 1},
        {"min_shared_prefix": 1, "max_batch_size": 5},
        {"min_shared_prefix": 10_000},
    ],
    ids=str,
)
def test_a_batch_answers_as_each_prompt_alone(
    tiny_model_dir: Path,
    prompts: list[Prompt],
    alone: dict[SamplingConfig, list[str]],
    *,
    sampling: SamplingConfig,
    limits: dict[str, int],
) -> None:
    backend = LocalBackend.open(tiny_model_dir, settings=LocalSettings.model_validate(limits))
    assert texts(backend, prompts[::-1], sampling) == alone[sampling][::-1]


def test_sampled_answers_differ_by_sample_seed_and_prompt(
    prompts: list[Prompt], alone: dict[SamplingConfig, list[str]], tiny_backend: LocalBackend
) -> None:
    # Answers are short, so a few may coincide.
    assert len(set(alone[LIVELY])) > 0.8 * len(prompts)
    reseeded = texts(tiny_backend, prompts, LIVELY.model_copy(update={"seed": 4}))
    assert sum(a == b for a, b in zip(reseeded, alone[LIVELY], strict=True)) < 0.2 * len(prompts)
    assert texts(tiny_backend, prompts, LIVELY) == alone[LIVELY]


def test_greedy_answers_are_those_of_transformers_token_by_token(
    tiny_backend: LocalBackend, prompts: list[Prompt]
) -> None:
    model, tokenizer = tiny_backend.model, tiny_backend.tokenizer
    for prompt, answer in zip(prompts, answers(tiny_backend, prompts), strict=True):
        turns = [{"role": message.role, "content": message.content} for message in prompt.messages]
        asked = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        given = model.generate(**asked, max_new_tokens=SHORT.max_tokens, do_sample=False)
        new = given[0, asked["input_ids"].shape[1] :]
        assert answer.text == tokenizer.decode(new, skip_special_tokens=True)
        assert (answer.prompt_tokens, answer.completion_tokens) == (asked["input_ids"].shape[1], len(new))


def test_answers_tell_how_they_ended_and_share_the_time(tiny_backend: LocalBackend, prompts: list[Prompt]) -> None:
    found = answers(tiny_backend, prompts, SamplingConfig(max_tokens=4, temperature=1.0, seed=1))
    assert {answer.finish for answer in found} == {"stop", "length"}
    for answer in found:
        assert answer.completion_tokens == 4 or (answer.finish == "stop" and answer.completion_tokens < 4)
        assert answer.seconds > 0


def test_an_answer_stops_before_a_stop_text(tiny_backend: LocalBackend) -> None:
    film = [Prompt.of("The Godfather")]
    whole = answers(tiny_backend, film)[0]
    assert "(" in whole.text
    cut = answers(tiny_backend, film, SHORT.model_copy(update={"stop": ("(", "never")}))[0]
    assert cut.text == whole.text[: whole.text.index("(")]
    assert cut.finish == "stop"
    assert cut.completion_tokens < whole.completion_tokens


def count_passes(model: Any) -> list[int]:
    """A list that grows by the number of rows at each forward pass of the model."""
    rows: list[int] = []
    model.register_forward_pre_hook(
        lambda _module, _args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    return rows


def test_closing_the_iterator_stops_the_work(tiny_model_dir: Path) -> None:
    backend = LocalBackend.open(tiny_model_dir, settings=LocalSettings(max_batch_size=2))
    prompts = [Prompt.of(f"Alien {n}") for n in range(20)]
    passes = count_passes(backend.model)
    answering = backend.answer(prompts, schema=None, sampling=SHORT)
    assert passes == []
    next(answering)
    done = len(passes)
    assert 0 < done < 40
    answering.close()
    assert len(passes) == done
    assert len(answers(backend, prompts)) == 20


def test_rows_leave_when_they_are_done_and_others_take_their_places(tiny_model_dir: Path) -> None:
    backend = LocalBackend.open(tiny_model_dir, settings=LocalSettings(max_batch_size=4))
    prompts = [Prompt.of(f"Alien {n}") for n in range(16)]
    passes = count_passes(backend.model)
    found = answers(backend, prompts, LIVELY)
    steps = sum(answer.completion_tokens for answer in found)
    # Every row in a pass is of use: one token of one answer each, or the reading of prompts.
    n_joined = sum(passes) - steps
    assert n_joined <= 2 * len(prompts)
    assert max(passes) == 4


def test_a_common_beginning_is_read_once(tiny_model_dir: Path) -> None:
    backend = LocalBackend.open(tiny_model_dir)
    read: list[int] = []
    backend.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: read.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    prompts = [Prompt.of(f"Alien {n}", system=INSTRUCTION) for n in range(8)]
    lengths = backend.count_tokens(prompts)
    answers(backend, prompts, SamplingConfig(max_tokens=1))
    shared = 26
    assert sum(read) < sum(lengths) - 6 * shared


def test_longer_prompts_than_the_context_holds_are_refused_with_the_numbers(tiny_model_dir: Path) -> None:
    backend = LocalBackend.open(tiny_model_dir)
    passes = count_passes(backend.model)
    prompts = [Prompt.of("Alien"), Prompt.of("Alien " * 600)]
    length = backend.count_tokens(prompts)[1]
    asked = backend.answer(prompts, schema=None, sampling=SamplingConfig(max_tokens=24))
    with pytest.raises(
        PromptTooLongError,
        match=rf"prompt 2 of 2: expected at most 1,000 tokens \(context of 1,024 less 24 .*\), got {length:,}; 1 ",
    ):
        next(asked)
    assert passes == []


def test_a_prompt_that_fills_the_context_to_the_last_token_is_answered(tiny_backend: LocalBackend) -> None:
    frame = tiny_backend.count_tokens([Prompt.of("")])[0]
    prompt = Prompt.of("\n" * (1024 - 8 - frame))
    assert tiny_backend.count_tokens([prompt]) == [1016]
    alone, beside = answers(tiny_backend, [prompt, Prompt.of("Alien")], SamplingConfig(max_tokens=8))
    assert alone.prompt_tokens == 1016
    assert beside.text == texts(tiny_backend, [Prompt.of("Alien")], SamplingConfig(max_tokens=8))[0]


def test_raw_text_is_the_contents_joined_by_a_blank_line(tiny_model_dir: Path) -> None:
    backend = LocalBackend.open(tiny_model_dir, settings=LocalSettings(template="plain"))
    prompt = Prompt((Message("system", "One."), Message("user", "Two.")))
    assert backend.texts([prompt]) == ["One.\n\nTwo."]
    assert backend.tokenizer.decode(backend.encode([prompt])[0]) == "One.\n\nTwo."
    assert backend.identity.options["template"] == "plain"
    with pytest.raises(InvalidConfigError, match=r"prompt 2 of 2: expected text, got none\. Write"):
        backend.encode([prompt, Prompt.of("")])


def test_a_conversation_that_the_template_refuses_is_named(tiny_model_dir: Path) -> None:
    backend = LocalBackend.open(tiny_model_dir)
    backend.tokenizer.chat_template = "{{ raise_exception('System role not supported') }}"
    with pytest.raises(InvalidModelError, match=r"got one of system, user \(System role not supported\)\. Put"):
        backend.encode([Prompt.of("Alien", system="Be brief.")])


def test_memory_that_runs_out_is_told_with_what_to_lower(
    tiny_backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(*args: object, **kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(tiny_backend.model, "forward", forward)
    with pytest.raises(RuntimeError, match=r"out of memory\. Lower token_budget \(now 65,536\) or max_batch_size"):
        answers(tiny_backend, [Prompt.of("Alien")])


def test_no_prompts_no_answers(tiny_backend: LocalBackend) -> None:
    assert answers(tiny_backend, []) == []
    assert tiny_backend.count_tokens([]) == []


def test_a_language_model_over_it_keeps_order(tiny_backend: LocalBackend, prompts: list[Prompt]) -> None:
    model = LanguageModel(tiny_backend)
    completions = model.complete(prompts, sampling=SHORT)
    assert [completion.text for completion in completions] == texts(tiny_backend, prompts)
    assert model.writer == tiny_backend.identity.writer
    assert GREEDY.max_tokens == 512
