"""Rows in a cache: what joins, moves and leaves must not be seen in any logit, whatever the kind of model."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from whyrec.errors import InvalidModelError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local import LocalBackend, LocalSettings
from whyrec.llm.local.forward import RowModel, similar_runs
from whyrec.llm.local.rowcache import RowCache

WINDOW = 8
SIZES: dict[str, Any] = {
    "vocab_size": 1088,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    # Large weights: the model then says something else at every step, and a wrong position shows.
    "initializer_range": 0.3,
    "bos_token_id": None,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
NEAR: dict[str, Any] = {**SIZES, "sliding_window": WINDOW}
KINDS = {
    "llama": transformers.LlamaConfig(**SIZES),
    "qwen3": transformers.Qwen3Config(**SIZES, head_dim=8),
    "mistral, every layer with a window": transformers.MistralConfig(**NEAR),
    "qwen2, one layer with a window": transformers.Qwen2Config(**NEAR, use_sliding_window=True, max_window_layers=1),
    "gemma3, some layers with a window": transformers.Gemma3TextConfig(**NEAR, head_dim=8),
    "gemma2, eager attention": transformers.Gemma2Config(**NEAR, head_dim=8),
    "gpt2, learnt positions": transformers.GPT2Config(
        vocab_size=1088, n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=None, eos_token_id=1,
        initializer_range=0.3,
    ),
}  # fmt: skip
REFUSED = {
    "mamba": transformers.MambaConfig(vocab_size=1088, hidden_size=32, num_hidden_layers=2, eos_token_id=1),
    "bloom": transformers.BloomConfig(vocab_size=1088, hidden_size=32, n_layer=2, n_head=4, eos_token_id=1),
    "gpt_neo": transformers.GPTNeoConfig(
        vocab_size=1088, hidden_size=32, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]],
        eos_token_id=1,
    ),
}  # fmt: skip


def saved(config: Any, directory: Path, tokenizer: Any) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def prompts(tiny_backend: LocalBackend) -> list[Prompt]:
    drawn = random.Random(0)
    words = [tiny_backend.tokenizer.decode([token]) for token in range(300, 1000)]
    said = ["".join(drawn.choices(words, k=drawn.randint(2, 40))) for _ in range(10)]
    return [Prompt.of(text, system="Alien Vertigo Casablanca, some words in common") for text in said]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_models_answer_as_in_transformers(
    kind: str, prompts: list[Prompt], tiny_backend: LocalBackend, tmp_path: Path
) -> None:
    directory = saved(KINDS[kind], tmp_path / "model", tiny_backend.tokenizer)
    limits = LocalSettings(template="plain", max_batch_size=4, min_shared_prefix=4)
    backend = LocalBackend.open(directory, settings=limits)
    found = dict(backend.answer(prompts, schema=None, sampling=SamplingConfig(max_tokens=16)))
    for position, prompt in enumerate(prompts):
        ids = torch.tensor(backend.encode([prompt]))
        given = backend.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=16, do_sample=False, pad_token_id=0
        )
        assert found[position].text == backend.tokenizer.decode(given[0, ids.shape[1] :], skip_special_tokens=True)
    assert len({answer.text for answer in found.values()}) > 5


def test_padding_beyond_the_last_position_that_a_model_knows_does_no_harm(
    tiny_backend: LocalBackend, tmp_path: Path
) -> None:
    directory = saved(KINDS["gpt2, learnt positions"], tmp_path / "model", tiny_backend.tokenizer)
    backend = LocalBackend.open(directory, settings=LocalSettings(template="plain", min_shared_prefix=50))
    # Two rows go on from token 100 or so; beside them stands one whose 110 tokens are all its own.
    texts = ["\n" * 100 + "Alien", "\n" * 100 + "Vertigo", "\t" * 110]
    prompts = [Prompt.of(text) for text in texts]
    sampling = SamplingConfig(max_tokens=8)
    together = dict(backend.answer(prompts, schema=None, sampling=sampling))
    for position, prompt in enumerate(prompts):
        alone = dict(backend.answer([prompt], schema=None, sampling=sampling))[0]
        assert (alone.text, alone.prompt_tokens) == (together[position].text, together[position].prompt_tokens)
    assert min(answer.prompt_tokens for answer in together.values()) > 100


@pytest.mark.parametrize("kind", REFUSED)
def test_models_that_cannot_be_run_by_rows_are_refused(kind: str, tiny_backend: LocalBackend, tmp_path: Path) -> None:
    directory = saved(REFUSED[kind], tmp_path / "model", tiny_backend.tokenizer)
    with pytest.raises(InvalidModelError, match=rf"model: expected .* as it does alone, got one of type '{kind}' \("):
        LocalBackend.open(directory, settings=LocalSettings(template="plain"))


class Rows:
    """Rows of a cache under test, and the tokens that each should hold."""

    def __init__(self, model: RowModel) -> None:
        self.model = model
        self.cache = RowCache(n_rows=1, n_columns=1)
        self.tokens: list[list[int]] = []

    def join(self, tokens: list[int]) -> None:
        n_rows, n_columns = len(self.tokens) + 1, max(map(len, [*self.tokens, tokens])) + 20
        self.cache.resize(n_rows=n_rows, n_columns=n_columns)
        self.model.extend_ragged(self.cache, [tokens[:-1]], first=len(self.tokens), starts=[0])
        self.tokens.append(tokens)

    def leave(self, row: int) -> None:
        last = len(self.tokens) - 1
        if row != last:
            self.cache.move([last], [row], n_columns=len(self.tokens[last]))
            self.tokens[row] = self.tokens[last]
        del self.tokens[last]

    def step(self, token: int) -> torch.Tensor:
        fed = torch.tensor([[tokens[-1], len(tokens) - 1] for tokens in self.tokens])
        visible = max(map(len, self.tokens))
        logits = self.model.extend(self.cache, fed[:, :1], fed[:, 1:], first=0, visible=visible)
        expected = [self.model.model(input_ids=torch.tensor([tokens])).logits[0, -1] for tokens in self.tokens]
        torch.testing.assert_close(logits, torch.stack(expected), rtol=1e-4, atol=1e-4)
        for tokens in self.tokens:
            tokens.append(token)
        return logits


ACTIONS = st.one_of(
    st.lists(st.integers(5, 1000), min_size=1, max_size=6),
    st.integers(0, 3).map(lambda row: ("leave", row)),
    st.integers(5, 1000).map(lambda token: ("step", token)),
)


@settings(max_examples=40)
@given(st.lists(ACTIONS, max_size=12))
@torch.inference_mode()
def test_rows_join_move_and_leave_without_a_trace(tiny_backend: LocalBackend, actions: list[Any]) -> None:
    rows = Rows(RowModel(tiny_backend.model))
    rows.join([7, 8, 9])
    for action in actions:
        if isinstance(action, list):
            rows.join(list(action))
        elif action[0] == "step":
            rows.step(action[1])
        elif len(rows.tokens) > action[1] and len(rows.tokens) > 1:
            rows.leave(action[1])
    rows.step(5)


def test_a_beginning_is_copied_to_rows_that_go_on_from_it(tiny_backend: LocalBackend) -> None:
    rows = Rows(RowModel(tiny_backend.model))
    begin, ends = [10, 11, 12, 13], [[20, 21], [30], [40, 41, 42]]
    prefix = RowCache(n_rows=1, n_columns=4)
    rows.model.extend_ragged(prefix, [begin], first=0, starts=[0])
    rows.cache.resize(n_rows=3, n_columns=16)
    rows.cache.copy_beginning(prefix, range(3), n_columns=4)
    rows.model.extend_ragged(rows.cache, [end[:-1] for end in ends], first=0, starts=[4, 4, 4])
    rows.tokens = [[*begin, *end] for end in ends]
    with torch.inference_mode():
        rows.step(5)
        rows.step(6)


def test_the_logits_are_as_wide_as_the_model_though_the_tokenizer_knows_less(tiny_backend: LocalBackend) -> None:
    assert tiny_backend._loaded.n_logits == 1088
    assert len(tiny_backend.tokenizer) == 1024


@given(st.lists(st.integers(0, 3000), max_size=40))
def test_runs_cover_all_rows_in_order_with_little_padding(lengths: list[int]) -> None:
    runs = similar_runs(lengths)
    assert [row for run in runs for row in run] == list(range(len(lengths)))
    for run in runs:
        padded = len(run) * max(lengths[row] for row in run)
        total = sum(lengths[row] for row in run)
        assert len(run) == 1 or (padded <= 4096 and padded <= 1.1 * total + 256)
