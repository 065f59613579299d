import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from whyrec.errors import InvalidConfigError, InvalidModelError, PromptTooLongError
from whyrec.llm.lora import LoraSettings, attach_adapter
from whyrec.llm.readouts import (
    MarkedText,
    expected_numbers,
    length_batches,
    normalised_entropy,
    number_probabilities,
    read_spans,
    token_range,
)

TEXT = "The sea was calm. Popularity: 42. The war was loud."
TEN = tuple(range(1, 11))


@pytest.fixture(scope="module")
def loaded(tiny_model_dir: Path) -> tuple[Any, Any]:
    return AutoModelForCausalLM.from_pretrained(tiny_model_dir).eval(), AutoTokenizer.from_pretrained(tiny_model_dir)


def marked(text: str, *parts: str) -> MarkedText:
    return MarkedText(text, tuple((text.index(part), text.index(part) + len(part)) for part in parts))


def logp(model: Any, ids: list[int]) -> torch.Tensor:
    """Log-probabilities of what follows the last token: the plain way, one text at a time."""
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)


def test_spans_read_what_the_model_says_one_text_at_a_time(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    texts = [marked(TEXT, "calm", "42"), marked("war", "war"), marked("A long film about the sea " * 9, "film")]
    found = read_spans(model, tokenizer, texts, token_budget=120)
    for text, spans in zip(texts, found, strict=True):
        encoded = tokenizer(text.text, add_special_tokens=False, return_offsets_mapping=True)
        ids = encoded.input_ids
        with torch.inference_mode():
            output = model(torch.tensor([ids]), output_hidden_states=True)
        for span, readout in zip(text.spans, spans, strict=True):
            first, last = token_range(encoded.offset_mapping, span)
            assert readout.token_ids.tolist() == ids[first:last]
            np.testing.assert_allclose(
                readout.hidden_states, output.hidden_states[-1][0, first:last].numpy(), atol=2e-5
            )
            expected = [logp(model, ids[:n])[ids[n]].item() if n else np.nan for n in range(first, last)]
            np.testing.assert_allclose(readout.log_probabilities, expected, atol=1e-5)


def test_an_adapter_is_at_work_in_what_is_read(loaded: tuple[Any, Any], tiny_model_dir: Path) -> None:
    model, tokenizer = loaded
    adapted = attach_adapter(AutoModelForCausalLM.from_pretrained(tiny_model_dir), tokenizer, LoraSettings()).model
    text = [marked(TEXT, "calm")]
    plain, same = (read_spans(each, tokenizer, text)[0][0] for each in (model, adapted.eval()))
    np.testing.assert_allclose(same.log_probabilities, plain.log_probabilities, atol=1e-5)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.05)
    changed = read_spans(adapted, tokenizer, text)[0][0]
    assert np.abs(changed.log_probabilities - plain.log_probabilities).max() > 0.01
    assert np.abs(changed.hidden_states - plain.hidden_states).max() > 0.01


def test_a_span_takes_every_token_that_it_touches() -> None:
    offsets = [(0, 3), (3, 7), (7, 9)]
    assert token_range(offsets, (2, 4)) == (0, 2)
    assert token_range(offsets, (3, 7)) == (1, 2)
    with pytest.raises(InvalidConfigError, match="at least one token"):
        token_range([(0, 3), (5, 7)], (3, 5))
    with pytest.raises(InvalidConfigError, match="span 3-3: expected it inside a text of 5 characters"):
        MarkedText("above", ((3, 3),))


def test_batches_keep_the_budget_and_every_row_once() -> None:
    lengths = [5, 90, 12, 40, 40, 7, 1]
    batches = list(length_batches(lengths, token_budget=100))
    assert sorted(itertools.chain(*batches)) == list(range(7))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= 100


def test_numbers_of_one_and_two_tokens_against_the_plain_way(loaded: tuple[Any, Any]) -> None:
    """P(1) = p("1") * (1 - p("0" after "1")), P(10) = p("1") * p("0" after "1"), over what is admitted."""
    model, tokenizer = loaded
    prefixes = ["Rated (", "A film about war. Score: (", "x"]
    assert len(tokenizer("(10", add_special_tokens=False).input_ids) == 3, "10 must be two tokens here"
    found = number_probabilities(model, tokenizer, prefixes, numbers=TEN)
    digit = {n: tokenizer(f"({n}", add_special_tokens=False).input_ids[-1] for n in range(10)}
    for row, prefix in zip(found, prefixes, strict=True):
        ids = tokenizer(prefix, add_special_tokens=False).input_ids
        first = {n: logp(model, ids)[digit[n]].exp().item() for n in range(1, 10)}
        total = sum(first.values())
        zero = logp(model, [*ids, digit[1]])[digit[0]].exp().item()
        expected = [first[1] / total * (1 - zero), *(first[n] / total for n in range(2, 10)), first[1] / total * zero]
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_the_batch_equals_one_by_one(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    prefixes = ["Rated ", "The sea was calm and so was the captain of the ship. It scored ", "(", "a b c "]
    numbers = [0, 7, 12, 120, 128, 2013]
    together = number_probabilities(model, tokenizer, prefixes, numbers=numbers, max_rows=3)
    for row, prefix in zip(together, prefixes, strict=True):
        np.testing.assert_allclose(row, number_probabilities(model, tokenizer, [prefix], numbers=numbers)[0], atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1)


def test_a_space_that_belongs_to_the_number_is_found(tmp_path: Path) -> None:
    """GPT-2 joins a space to the digits that follow: in "is 7" the number begins before the slot."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    lines = [f"it is {n} of 10" for n in TEN] * 50
    raw.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=300, show_progress=False))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="!")
    assert tokenizer.tokenize("is 7")[-1] == "Ġ7"
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=320, n_embd=32, n_layer=1, n_head=2, initializer_range=0.3)).eval()
    ids = tokenizer("it is").input_ids
    rows = [tokenizer(f"it is {n}").input_ids[len(ids) :] for n in (3, 4)]
    chances = np.array([logp(model, ids)[row[0]].exp().item() for row in rows])
    found = number_probabilities(model, tokenizer, ["it is "], numbers=[3, 4])
    np.testing.assert_allclose(found[0], chances / chances.sum(), atol=1e-6)


def test_pruned_beginnings_lose_little(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    numbers = list(range(200))
    exact = number_probabilities(model, tokenizer, ["Rated ", "("], numbers=numbers, prune=0.0)
    pruned = number_probabilities(model, tokenizer, ["Rated ", "("], numbers=numbers, prune=1e-3)
    assert np.abs(exact - pruned).sum(axis=1).max() < 0.02
    np.testing.assert_allclose(expected_numbers(exact, numbers), expected_numbers(pruned, numbers), rtol=0.02)


def test_expectation_and_entropy_by_hand() -> None:
    """0.5 * 1 + 0.5 * 3 = 2; an even split over two of four is ln 2 / ln 4 = 1/2."""
    rows = np.array([[0.5, 0.0, 0.5, 0.0], [0.25, 0.25, 0.25, 0.25], [0.0, 1.0, 0.0, 0.0]])
    np.testing.assert_allclose(expected_numbers(rows, [1, 2, 3, 4]), [2, 2.5, 2])
    np.testing.assert_allclose(normalised_entropy(rows), [0.5, 1, 0], atol=1e-12)


def test_overlong_texts_and_odd_numbers_are_refused(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    long = "sea and war " * 600
    with pytest.raises(PromptTooLongError, match="prompt 2 of 2: expected at most 1,024 tokens"):
        read_spans(model, tokenizer, [marked("a", "a"), marked(long, "war")])
    with pytest.raises(PromptTooLongError, match="1,024"):
        number_probabilities(model, tokenizer, [long], numbers=TEN)
    with pytest.raises(InvalidConfigError, match="expected distinct numbers"):
        number_probabilities(model, tokenizer, ["a"], numbers=[1, 1])


def test_a_model_that_caps_its_logits_is_refused(loaded: tuple[Any, Any]) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=1200, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, final_logit_softcapping=0.5, initializer_range=1.0,
    )  # fmt: skip
    with pytest.raises(InvalidModelError, match="a cap or a scale"):
        read_spans(Gemma2ForCausalLM(config).eval(), loaded[1], [marked("sea", "sea")])
