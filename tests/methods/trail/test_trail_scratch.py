"""The model made from nothing: its tokenizer loses nothing, and its directory is an ordinary one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tuning_world import FALLING, RISING, SMALL, compact_template, sample, scratch_tokenizer

from whyrec.llm.base import Message, Prompt, SamplingConfig
from whyrec.llm.local import LocalBackend
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.model import LanguageModel
from whyrec.methods.trail.config import ScratchConfig
from whyrec.methods.trail.number_words import number_words
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START
from whyrec.methods.trail.references import vocabulary
from whyrec.methods.trail.scratch import (
    END,
    PAD,
    SPECIAL,
    UNKNOWN,
    build_model,
    build_tokenizer,
    known_values,
    save_backbone,
)

TOKENIZER = scratch_tokenizer(compact_template(), [sample()], [RISING, FALLING])
TEXT = f"score n12{EXPLANATION_START}{RISING}{EXPLANATION_END}"


def ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=True)["input_ids"]
    return found


def tokens(tokenizer: Any, text: str) -> list[str]:
    found: list[str] = tokenizer.convert_ids_to_tokens(ids(tokenizer, text))
    return found


WORDS = [*number_words(), *vocabulary(["genres", "year"])]
PIECES = [
    *(f" {word}" for word in WORDS),
    *WORDS,
    *("score", " Users", " rose", " drama", ".", "[", "]", "Trend", "\n\n", EXPLANATION_START, "7", " 0"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_what_is_encoded_is_decoded(pieces: list[str]) -> None:
    # Two words side by side would be one other word.
    text = "[".join(pieces)
    found = ids(TOKENIZER, text)
    assert TOKENIZER.unk_token_id not in found
    assert TOKENIZER.decode(found) == text


def test_a_whole_text_is_told_without_unknown_words() -> None:
    prompt = compact_template().messages(sample())[0].content
    text = f"{prompt}\n\n{TEXT}"
    assert UNKNOWN not in tokens(TOKENIZER, text)
    assert TOKENIZER.decode(ids(TOKENIZER, text)) == text
    assert tokens(TOKENIZER, text)[-3:] == [" holds", ".", EXPLANATION_END]


@pytest.mark.parametrize("space", ["", " "])
def test_counts_and_references_are_one_token_each_with_and_without_a_space(space: str) -> None:
    assert len(WORDS) > 180
    for word in WORDS:
        assert tokens(TOKENIZER, f"{space}{word}") == [f"{space}{word}"]
        assert tokens(TOKENIZER, f"[{space}{word}.") == ["[", f"{space}{word}", "."]


def test_counts_are_told_from_words_that_begin_like_them() -> None:
    assert tokens(TOKENIZER, " n7")[0] == " n7"
    assert " n7" not in tokens(TOKENIZER, " n71x") + tokens(TOKENIZER, " n7a") + tokens(TOKENIZER, "an7")


def test_the_break_between_prompt_and_answer_is_one_token() -> None:
    assert tokens(TOKENIZER, " for nov\n\nscore n12") == [" for", " nov", "\n\n", "score", " n12"]


def test_years_are_spelled_digit_by_digit() -> None:
    assert tokens(TOKENIZER, " 2013") == [" 2", "0", "1", "3"]


def test_markers_are_special_and_stand_first() -> None:
    assert TOKENIZER.convert_tokens_to_ids(list(SPECIAL)) == [0, 1, 2, 3, 4]
    assert (TOKENIZER.pad_token, TOKENIZER.eos_token, TOKENIZER.unk_token) == (PAD, END, UNKNOWN)
    assert TOKENIZER.decode(ids(TOKENIZER, TEXT), skip_special_tokens=True) == TEXT.replace(
        EXPLANATION_START, ""
    ).replace(EXPLANATION_END, "")
    assert tokens(TOKENIZER, f"n12{EXPLANATION_START}[") == ["n12", EXPLANATION_START, "["]


def test_rare_words_are_unknown_and_the_most_frequent_are_kept() -> None:
    config = ScratchConfig(min_word_count=2, max_words=100, context=128)
    texts = ["often seldom", "often", *(f"w{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]} " * 3 for n in range(100))] * 2
    built = build_tokenizer(["once", *texts], attributes=[], config=config)
    assert tokens(built, "often") == ["often"]
    assert tokens(built, "once") == [UNKNOWN]
    kept = set(built.get_vocab()) - set(build_tokenizer([], attributes=[], config=config).get_vocab())
    assert len(kept) == 100
    assert built.model_max_length == 128


def test_a_word_counts_once_per_text() -> None:
    config = ScratchConfig(min_word_count=2, context=128)
    assert tokens(build_tokenizer(["so so so"], attributes=[], config=config), "so") == [UNKNOWN]
    assert tokens(build_tokenizer(["so", "so"], attributes=[], config=config), "so") == ["so"]


def test_decomposed_letters_are_the_composed_word() -> None:
    built = build_tokenizer(["e\u0301te\u0301"] * 2, attributes=[], config=SMALL)
    assert tokens(built, "e\u0301te\u0301") == tokens(built, "\u00e9t\u00e9") == ["\u00e9t\u00e9"]


def test_values_are_known_that_enough_samples_show() -> None:
    shown = [("Drama", "War"), ("Drama", "Drama"), ("War", "Comedy"), ("Drama",)]
    samples = [sample(attributes={"genres": genres, "year": 1990.0 + n}) for n, genres in enumerate(shown)]
    config = ScratchConfig(min_value_count=2)
    assert known_values(samples, config=config) == {"genres": frozenset({"drama", "war"})}
    assert known_values([], config=config) == {}


def test_a_model_has_rows_for_all_tokens_and_depends_on_the_seed_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, same, other = (build_model(TOKENIZER, config=SMALL, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    tables = [model.get_input_embeddings().weight for model in (first, same, other)]
    assert len(TOKENIZER) <= len(tables[0]) < len(TOKENIZER) + 64
    assert torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])
    assert first.config.eos_token_id == TOKENIZER.eos_token_id
    assert first.config.pad_token_id == TOKENIZER.pad_token_id


def test_near_counts_begin_with_near_vectors() -> None:
    """With and without the space alike; other tokens are pure chance, of about the same length."""
    table = build_model(TOKENIZER, config=ScratchConfig(), seed=0).get_input_embeddings().weight.detach()
    words = torch.tensor(TOKENIZER.convert_tokens_to_ids([f" {word}" for word in number_words()]))
    unit = torch.nn.functional.normalize(table[words])
    near, far = (unit[100] @ unit[101]).item(), (unit[100] @ unit[20]).item()
    assert near > 0.95
    assert abs(far) < 0.5
    assert torch.equal(table[words], table[TOKENIZER.convert_tokens_to_ids(list(number_words()))])
    lengths = table.norm(dim=1)
    is_number = torch.isin(torch.arange(len(table)), words)
    assert lengths[is_number].mean() == pytest.approx(lengths[~is_number][6:].mean().item(), rel=0.2)


def test_a_saved_model_opens_as_any_other(tmp_path: Path) -> None:
    model = build_model(TOKENIZER, config=SMALL, seed=1)
    save_backbone(model, TOKENIZER, tmp_path / "small")
    backend = LocalBackend.open(tmp_path / "small", settings=LocalSettings(template="plain", device="cpu"))
    begun = Prompt((*compact_template().messages(sample()), Message("assistant", "score n12<exp_start>")))
    (text,) = backend.texts([begun])
    assert backend.encode([begun]) == [ids(TOKENIZER, text)]
    assert text.endswith("for nov\n\nscore n12<exp_start>")
    with torch.inference_mode():
        rows = torch.tensor([ids(TOKENIZER, text)])
        torch.testing.assert_close(backend.model(rows).logits, model(rows).logits)
    (completion,) = LanguageModel(backend).complete([begun], sampling=SamplingConfig(max_tokens=4))
    assert completion.failure is None
    assert completion.completion_tokens <= 4
