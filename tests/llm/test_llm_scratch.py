"""A model that is made from scratch: tokens that are words, in the usual files."""

from pathlib import Path

import pytest
import torch
from tokenizers import Regex, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.model import LanguageModel
from whyrec.llm.scratch import END, PAD, UNKNOWN, untrained_llama, word_tokenizer

WORDS = ["war", " war", " peace", "and"]


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    splitter = pre_tokenizers.Split(Regex(r" ?\w+"), behavior="isolated")
    return word_tokenizer([*WORDS, "war"], splitter=splitter, context=32, markers=("<fact>",))


def test_a_word_is_a_token_and_joined_they_are_the_text(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("war peace war").input_ids
    assert tokenizer.convert_ids_to_tokens(ids) == ["war", " peace", " war"]
    assert tokenizer.decode(ids) == "war peace war"
    assert tokenizer.convert_tokens_to_ids([PAD, END, UNKNOWN, "<fact>", *WORDS]) == list(range(4 + 4))
    assert tokenizer("war crimes").input_ids == [4, tokenizer.unk_token_id]


def test_a_model_is_of_the_usual_files_and_answers(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = untrained_llama(tokenizer, width=8, layers=1, heads=2, initializer_range=0.1)
    # 8 words fill a table of 64 rows; each of one block's parts has the width, the network three times as much.
    assert sum(p.numel() for p in model.parameters()) == 64 * 8 + 4 * 8 * 8 + 3 * 8 * 24 + 3 * 8
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    backend = LocalBackend.open(tmp_path, settings=LocalSettings(template="plain", device="cpu"))
    assert backend.context_tokens == 32
    [answer] = LanguageModel(backend).complete([Prompt.of("war and")], sampling=SamplingConfig(max_tokens=3))
    assert answer.finish in ("stop", "length")
