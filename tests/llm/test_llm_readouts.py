import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from whyrec.errors import InvalidConfigError, InvalidModelError, PromptTooLongError
from whyrec.llm.lora import LoraSettings, attach_adapter
from whyrec.llm.readouts import MarkedText, length_batches, read_spans, token_range

TEXT = "The sea was calm. Popularity: 42. The war was loud."


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


def test_overlong_texts_are_refused(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    long = "sea and war " * 600
    with pytest.raises(PromptTooLongError, match="prompt 2 of 2: expected at most 1,024 tokens"):
        read_spans(model, tokenizer, [marked("a", "a"), marked(long, "war")])


def test_a_model_that_caps_its_logits_is_refused(loaded: tuple[Any, Any]) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=1200, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, final_logit_softcapping=0.5, initializer_range=1.0,
    )  # fmt: skip
    with pytest.raises(InvalidModelError, match="a cap or a scale"):
        read_spans(Gemma2ForCausalLM(config).eval(), loaded[1], [marked("sea", "sea")])
