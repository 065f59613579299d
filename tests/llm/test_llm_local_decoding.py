import math
import random

import pytest
import torch
from scipy import stats

from whyrec.llm.base import SamplingConfig
from whyrec.llm.local import LocalBackend
from whyrec.llm.local.decoding import AnswerText, choose_tokens, draws_of

PROBABILITIES = [0.5, 0.25, 0.15, 0.1, 0.0]


def drawn(n: int, *, temperature: float = 1.0, top_p: float = 1.0) -> list[int]:
    logits = torch.tensor(PROBABILITIES).log().expand(n, -1)
    source = random.Random(0)
    draws = [source.random() for _ in range(n)]
    return choose_tokens(logits, draws, temperature=temperature, top_p=top_p).tolist()


def test_tokens_come_as_often_as_they_are_likely() -> None:
    counts = [drawn(20_000).count(token) for token in range(5)]
    assert counts[4] == 0
    assert stats.chisquare(counts[:4], [20_000 * p for p in PROBABILITIES[:4]]).pvalue > 0.01


def test_a_temperature_of_one_half_squares_the_odds() -> None:
    squares = [p * p for p in PROBABILITIES[:4]]
    expected = [20_000 * square / sum(squares) for square in squares]
    chosen = drawn(20_000, temperature=0.5)
    assert stats.chisquare([chosen.count(token) for token in range(4)], expected).pvalue > 0.01


@pytest.mark.parametrize(("top_p", "kept"), [(0.5, {0}), (0.51, {0, 1}), (0.75, {0, 1}), (0.9, {0, 1, 2}), (0.01, {0})])
def test_top_p_keeps_the_likeliest_that_reach_it_together(top_p: float, kept: set[int]) -> None:
    assert set(drawn(2000, top_p=top_p)) == kept


def test_greedy_takes_the_likeliest_and_looks_at_no_draw() -> None:
    assert choose_tokens(torch.tensor([[0.0, 2.0, 1.0]]), [], temperature=0, top_p=1).tolist() == [1]


@pytest.mark.parametrize("draw", [0.0, 1 - 2**-53])
def test_extreme_draws_never_reach_a_token_that_is_ruled_out(draw: float) -> None:
    inf = float("inf")
    logits = torch.tensor([[-inf, 0.3, -inf, -1.7, -inf, -inf]])
    assert choose_tokens(logits, [draw], temperature=0.7, top_p=1).tolist() == [1 if draw == 0 else 3]


def test_draws_depend_on_seed_sample_and_prompt() -> None:
    config = SamplingConfig(seed=1)
    first = draws_of(config, sample=0, tokens=[1, 2]).random()
    assert draws_of(config, sample=0, tokens=[1, 2]).random() == first
    others = [
        draws_of(SamplingConfig(seed=2), sample=0, tokens=[1, 2]),
        draws_of(config, sample=1, tokens=[1, 2]),
        draws_of(config, sample=0, tokens=[1, 2, 3]),
        draws_of(config, sample=0, tokens=[12]),
    ]
    assert len({first, *(other.random() for other in others)}) == 5


def test_text_ends_before_the_first_of_the_texts_to_stop_at(tiny_backend: LocalBackend) -> None:
    tokens = tiny_backend.tokenizer("Drama, Comedy (2012) and Crime").input_ids
    text = AnswerText(tiny_backend.tokenizer, [" and", "Comedy", "absent", ""])
    assert text.read(tokens) == ("Drama, ", True)
    assert AnswerText(tiny_backend.tokenizer, ["absent"]).read(tokens) == ("Drama, Comedy (2012) and Crime", False)
    ended = [n for n in range(1, len(tokens) + 1) if text.has_ended(tokens[:n])]
    first = tiny_backend.tokenizer.decode(tokens[: ended[0]])
    assert first.endswith("Comedy")
    assert not AnswerText(tiny_backend.tokenizer, []).has_ended(tokens)


def test_a_stop_text_of_many_bytes_is_seen_though_it_takes_many_tokens(tiny_backend: LocalBackend) -> None:
    tokens = tiny_backend.tokenizer("Drama 漢字漢字漢字").input_ids
    assert len(tokens) > 18
    assert AnswerText(tiny_backend.tokenizer, ["漢字漢字漢字"]).has_ended(tokens)
    assert not AnswerText(tiny_backend.tokenizer, ["漢字漢字漢字"]).has_ended(tokens[:-1])


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_row_without_any_allowed_token_still_gets_one_of_the_vocabulary(temperature: float) -> None:
    """The grammar will refuse it; a number beyond the vocabulary would be no token at all."""
    chosen = choose_tokens(torch.full((1, 6), -math.inf), [0.4], temperature=temperature, top_p=1.0)
    assert 0 <= int(chosen[0]) < 6
