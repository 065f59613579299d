from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import processors
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from whyrec.errors import InvalidConfigError, PromptTooLongError
from whyrec.llm.choices import (
    Slot,
    choice_probabilities,
    expected_numbers,
    normalised_entropy,
    number_probabilities,
    slots_at,
)

TEN = tuple(range(1, 11))


@pytest.fixture(scope="module")
def loaded(tiny_model_dir: Path) -> tuple[Any, Any]:
    return AutoModelForCausalLM.from_pretrained(tiny_model_dir).eval(), AutoTokenizer.from_pretrained(tiny_model_dir)


def logp(model: Any, ids: list[int]) -> torch.Tensor:
    """Log-probabilities of what follows the last token: the plain way, one text at a time."""
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)


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


def test_choices_against_the_plain_way(loaded: tuple[Any, Any]) -> None:
    """Texts of several tokens, none the beginning of another: products of the chances of their tokens, over all.

    Only the first token is taken among those that are admitted; from then on what does not lead on is lost.
    """
    model, tokenizer = loaded
    choices = ["War, Drama", "War. Action", "Comedy", "Dogs"]
    prefixes = ["Airplane!<|end|>\n<|assistant|>\n", "A film. It is ("]
    found = choice_probabilities(model, tokenizer, prefixes, choices=choices, prune=0.0)
    for row, prefix in zip(found, prefixes, strict=True):
        slot = Slot.at(tokenizer, prefix, choices)
        stem = list(slot.stem)
        mass = np.zeros(len(choices))
        for path, place in slot.spelled.items():
            chances = [logp(model, [*stem, *path[:n]])[token].exp().item() for n, token in enumerate(path)]
            mass[place] = np.prod(chances)
        np.testing.assert_allclose(row, mass / mass.sum(), atol=1e-6)


def test_numbers_are_choices_spelled_in_digits(loaded: tuple[Any, Any]) -> None:
    spelled = [str(number) for number in TEN]
    np.testing.assert_array_equal(
        choice_probabilities(*loaded, ["Rated ("], choices=spelled),
        number_probabilities(*loaded, ["Rated ("], numbers=TEN),
    )


def test_slots_of_many_prefixes_are_those_of_each_alone(loaded: tuple[Any, Any]) -> None:
    """Alike ends, other ends, ends that join a digit or a letter to what follows, and the same text twice."""
    _, tokenizer = loaded
    same_end = "and popularity: "
    prefixes = [f"War {same_end}", f"The sea, {same_end}", "x", "1", "12", "(", "War ", f"War {same_end}", "A\n", "Dra"]
    for choices in (["0", "7", "12", "200"], ["ma", "mas", "War", " War"], ["7"]):
        found = slots_at(tokenizer, prefixes, choices)
        assert found == [Slot.at(tokenizer, prefix, choices) for prefix in prefixes]
    assert slots_at(tokenizer, [], ["7"]) == []


def test_every_slot_spells_prefix_and_choice(loaded: tuple[Any, Any]) -> None:
    _, tokenizer = loaded
    choices = ["0", "7", "12", "200"]
    for prefix, slot in zip(("Rated ", "1"), slots_at(tokenizer, ["Rated ", "1"], choices), strict=True):
        for path, place in slot.spelled.items():
            assert tokenizer.decode([*slot.stem, *path]) == f"{prefix}{choices[place]}"
        assert slot.depth == max(map(len, slot.spelled))


def test_a_text_begins_as_the_tokenizer_begins_one_if_asked(loaded: tuple[Any, Any], tiny_model_dir: Path) -> None:
    """A model that was trained behind a start token is asked behind one; a chat template writes it by itself."""
    model, tokenizer = loaded
    start = tokenizer.convert_tokens_to_ids("<|user|>")
    beginning = AutoTokenizer.from_pretrained(tiny_model_dir)
    beginning.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|user|> $A", special_tokens=[("<|user|>", start)]
    )
    (slot,) = slots_at(beginning, ["Rated ("], ["1", "2"], adds_special_tokens=True)
    (bare,) = slots_at(beginning, ["Rated ("], ["1", "2"])
    assert slot.stem == (start, *bare.stem)
    assert (slot.spelled, slot.branches) == (bare.spelled, bare.branches)
    found = choice_probabilities(model, beginning, ["Rated ("], choices=["1", "2"], adds_special_tokens=True)
    written = choice_probabilities(model, tokenizer, ["<|user|>Rated ("], choices=["1", "2"])
    np.testing.assert_allclose(found, written, atol=1e-7)
    assert np.abs(found - choice_probabilities(model, tokenizer, ["Rated ("], choices=["1", "2"])).max() > 1e-4


def test_overlong_prefixes_and_odd_choices_are_refused(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    with pytest.raises(PromptTooLongError, match="1,024"):
        number_probabilities(model, tokenizer, ["sea and war " * 600], numbers=TEN)
    with pytest.raises(InvalidConfigError, match="expected distinct numbers"):
        number_probabilities(model, tokenizer, ["a"], numbers=[1, 1])
    with pytest.raises(InvalidConfigError, match="expected texts that differ in their tokens, got 1 of 3"):
        choice_probabilities(model, tokenizer, ["a"], choices=["1", "2", "1"])
    with pytest.raises(InvalidConfigError, match="expected one text at least, got none"):
        choice_probabilities(model, tokenizer, ["a"], choices=[])
