"""Losses of a batch: equal to the equations on full logits, untouched by padding, with gradients where they belong."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from tuning_world import FALLING, RISING, SMALL, chat_tokenizer, encoded, sample, scratch_encoder, tiny_llama

from whyrec.llm.lora import LoraSettings, attach_adapter
from whyrec.methods.trail.encoding import Batch, EncodedSample, Encoder, collate
from whyrec.methods.trail.equations import info_nce, projection_head, supervised_loss
from whyrec.methods.trail.network import ProjectionHead, TrailNetwork, last_states, span_means
from whyrec.methods.trail.number_words import number_words, soft_words
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START, PaperTemplate
from whyrec.methods.trail.scratch import build_model

ENCODER = scratch_encoder()
TOKENIZER = ENCODER.tokenizer
SCORE_WORDS = torch.tensor(TOKENIZER.convert_tokens_to_ids([f" {word}" for word in number_words()]))
TEXTS = [
    encoded(ENCODER, sample(target=12, weight=2.0), explanation=RISING),
    encoded(ENCODER, sample(users=(), target=0), explanation=""),
    encoded(ENCODER, sample(users=(5,), target=700), explanation=FALLING),
]
PAIRED = [TEXTS[0], TEXTS[2], encoded(ENCODER, sample(users=(9, 9), target=9), explanation=" Users rose.")]
# The first two are each other's positives; the third is a negative of both and has no positive itself.
IS_POSITIVE = torch.tensor([[False, True, False], [True, False, False], [False, False, False]])


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def network(*, spread: float = 0.0, words: torch.Tensor | None = SCORE_WORDS, dropout: float = 0.0) -> TrailNetwork:
    torch.manual_seed(0)
    model = build_model(TOKENIZER, config=SMALL, seed=3)
    return TrailNetwork(model, ProjectionHead(32, hidden=16, out=8, dropout=dropout), score_words=words, spread=spread)


def batch(texts: list[EncodedSample] = TEXTS) -> Batch:
    return collate(texts, padding=TOKENIZER.pad_token_id)


def full_logits(net: TrailNetwork, given: Batch) -> torch.Tensor:
    logits: torch.Tensor = net.model(input_ids=given.ids, attention_mask=given.is_token).logits
    return logits


@pytest.mark.parametrize(("words", "spread"), [(SCORE_WORDS, 0.0), (None, 0.3)])
def test_the_supervised_term_is_the_equations(words: torch.Tensor | None, spread: float) -> None:
    """A single token as the truth: with no spread, and where scores are spelled."""
    net, given = network(words=words, spread=spread), batch()
    found = net(given).supervised
    torch.testing.assert_close(found, supervised_loss(full_logits(net, given), given.ids, given.token_weights))
    assert found > 1


def test_the_supervised_term_with_spread_scores_by_hand() -> None:
    """Cross-entropy of every weighed token, of the score's with a distribution over the number words."""
    net, given = network(spread=0.3), batch()
    logp = full_logits(net, given).log_softmax(-1).detach()
    total = weight = 0.0
    for row, text in enumerate(TEXTS):
        soft = soft_words(np.array([text.count]), spread=0.3)[0]
        for place in range(1, len(text.ids)):
            worth = float(text.token_weights[place]) * text.weight
            if place == text.score_place:
                of_words = logp[row, place - 1, SCORE_WORDS].double().numpy()
                total += worth * -float((soft * of_words).sum())
            else:
                total += worth * -float(logp[row, place - 1, text.ids[place]])
            weight += worth
    assert net(given).supervised.item() == pytest.approx(total / weight, rel=1e-5)
    assert network()(given).supervised.item() != pytest.approx(total / weight, rel=1e-3)


def test_a_spread_that_is_tiny_is_the_single_token() -> None:
    torch.testing.assert_close(network(spread=1e-3)(batch()).supervised, network()(batch()).supervised)


def test_the_explanation_term_by_hand() -> None:
    """The mean over all tokens between and with the markers, whatever the samples weigh."""
    net, given = network(), batch()
    logp = full_logits(net, given).log_softmax(-1)
    losses = [
        -float(logp[row, place - 1, text.ids[place]].detach())
        for row, text in enumerate(TEXTS)
        for place in np.flatnonzero(text.is_told)
    ]
    assert len(losses) == TEXTS[0].is_told.sum() + TEXTS[2].is_told.sum()
    assert net(given).explanation.item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_terms_without_anything_to_learn_from_are_zero() -> None:
    losses = network()(batch([TEXTS[1]]))
    assert (losses.explanation.item(), losses.contrastive.item()) == (0.0, 0.0)
    losses.explanation.backward()  # it must not break the graph of several devices


def test_span_means_by_hand() -> None:
    """(1 + 3) / 2 = 2 and (2 + 6) / 2 = 4 over the last two of three; nothing told gives zeros."""
    states = torch.tensor([[[9.0, 9.0], [1.0, 2.0], [3.0, 6.0]], [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]])
    is_told = torch.tensor([[False, True, True], [False, False, False]])
    assert span_means(states, is_told).tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_the_contrastive_term_is_the_equations_of_mean_states() -> None:
    net, given = network(), batch(PAIRED)
    found = net(given, IS_POSITIVE, ~IS_POSITIVE, temperature=0.2).contrastive
    states = net.model(input_ids=given.ids, attention_mask=given.is_token, output_hidden_states=True).hidden_states[-1]
    means = torch.stack(
        [states[row, torch.from_numpy(text.is_told).nonzero()[:, 0]].mean(dim=0) for row, text in enumerate(PAIRED)]
    )
    head = net.head
    projected = projection_head(
        means, first_weight=head.first.weight, first_bias=head.first.bias, second_weight=head.second.weight
    )
    torch.testing.assert_close(
        found, info_nce(projected, IS_POSITIVE, is_negative=~IS_POSITIVE, temperature=0.2), rtol=1e-4, atol=1e-5
    )


def test_last_states_make_the_models_own_logits() -> None:
    net, given = network(), batch()
    own = full_logits(net, given)
    made = net.model.get_output_embeddings()(last_states(net.model, given))
    torch.testing.assert_close(made[given.is_token.bool()], own[given.is_token.bool()])


def test_padding_changes_nothing() -> None:
    """Each text alone, or beside a longer one with any token as padding."""
    net = network(spread=0.2)
    with torch.no_grad():
        alone = [net(batch([text])) for text in TEXTS]
        wide = net(collate(TEXTS, padding=TOKENIZER.unk_token_id))
    worth = [float(text.token_weights[1:].sum() * text.weight) for text in TEXTS]
    supervised = sum(w * float(losses.supervised) for w, losses in zip(worth, alone, strict=True)) / sum(worth)
    assert float(wide.supervised) == pytest.approx(supervised, rel=1e-5)
    told = [int(text.is_told.sum()) for text in TEXTS]
    explanation = sum(n * float(losses.explanation) for n, losses in zip(told, alone, strict=True)) / sum(told)
    assert float(wide.explanation) == pytest.approx(explanation, rel=1e-5)


def test_a_sample_that_weighs_twice_counts_twice() -> None:
    net = network()
    twice = [replace(TEXTS[0], weight=1.0), replace(TEXTS[0], weight=1.0), TEXTS[1]]
    with torch.no_grad():
        torch.testing.assert_close(net(batch(twice)).supervised, net(batch(TEXTS[:2])).supervised)


def test_half_precision_logits_take_a_distribution_as_their_truth() -> None:
    """As on a GPU, where matrices are multiplied in bfloat16: the losses stay near those in single precision."""
    net, given = network(spread=0.3), batch(PAIRED)
    with torch.no_grad():
        exact = net(given, IS_POSITIVE)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = net(given, IS_POSITIVE)
    for name in ("supervised", "contrastive", "explanation"):
        assert getattr(rough, name).dtype == torch.float32
        torch.testing.assert_close(getattr(rough, name), getattr(exact, name), rtol=0.05, atol=0.05)


def test_the_head_drops_out_in_training_alone_and_keeps_the_mean() -> None:
    torch.manual_seed(1)
    head = ProjectionHead(4, hidden=6, out=5, dropout=0.5)
    given = torch.randn(3, 4)
    assert torch.equal(head.eval()(given), head(given))
    assert not torch.equal(head.train()(given), head(given))
    # The projected mean over many masks is that without one, before the normalisation.
    mask = torch.bernoulli(torch.full((4000, 6), 0.5)) / 0.5
    hidden = functional.relu(head.first(given[:1])).expand(4000, -1)
    torch.testing.assert_close((hidden * mask).mean(dim=0), hidden[0], rtol=0.1, atol=0.05)


def adapted() -> tuple[TrailNetwork, Batch, Any]:
    template = PaperTemplate("movies")
    lines = [message.content for message in template.messages(sample())] * 2
    model = tiny_llama(416)
    torch.manual_seed(0)
    settings = LoraSettings(
        rank=2, dropout=0.0, target_modules=("q_proj",), markers=(EXPLANATION_START, EXPLANATION_END)
    )
    found = attach_adapter(model, chat_tokenizer(lines, markers=False), settings)
    encoder = Encoder(found.tokenizer, template, rendering="model", max_tokens=2000)
    texts = [
        encoded(encoder, sample(target=n, users=users), explanation=explanation)
        for n, users, explanation in ((1, (), RISING), (20, (3, 4), FALLING), (0, (), "Nobody came."))
    ]
    head = ProjectionHead(32, hidden=16, out=8, dropout=0.0)
    net = TrailNetwork(found.model, head, score_words=None, spread=0.15)
    return net, collate(texts, padding=found.tokenizer.pad_token_id), found.tokenizer


def reached(net: TrailNetwork) -> set[str]:
    return {
        name
        for name, parameter in net.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().max() > 0
    }


def test_gradients_reach_the_adapter_the_markers_and_the_head_alone() -> None:
    net, given, tokenizer = adapted()
    losses = net(given, IS_POSITIVE, ~IS_POSITIVE)
    (losses.supervised + losses.contrastive + losses.explanation).backward()
    found = reached(net)
    # A new adapter's second factor is zero, so that only it moves at first; markers stand in the table and the output.
    kinds = {kind: {name for name in found if kind in name} for kind in ("lora_B", "trainable_tokens_delta")}
    kinds["head"] = {name for name in found if name.startswith("head.")}
    assert {kind: len(names) for kind, names in kinds.items()} == {"lora_B": 1, "trainable_tokens_delta": 2, "head": 5}
    assert found == set().union(*kinds.values())
    frozen = [name for name, parameter in net.named_parameters() if not parameter.requires_grad]
    assert len(frozen) > 5
    assert all(parameter.grad is None for name, parameter in net.named_parameters() if name in frozen)
    markers = tokenizer.convert_tokens_to_ids([EXPLANATION_START, EXPLANATION_END])
    deltas = [p for name, p in net.named_parameters() if "trainable_tokens_delta" in name]
    assert all(delta.shape == (len(markers), 32) for delta in deltas)


def test_the_contrastive_term_alone_reaches_the_head_and_through_it_the_adapter() -> None:
    net, given, _ = adapted()
    net(given, IS_POSITIVE, ~IS_POSITIVE).contrastive.backward()
    found = reached(net)
    assert len([name for name in found if name.startswith("head.")]) == 5
    assert [name for name in found if "lora_B" in name]
    # What is written from the states is no matter of the contrast.
    assert not [name for name in found if "lm_head" in name]


def test_the_other_terms_leave_the_head_alone() -> None:
    net, given, _ = adapted()
    losses = net(given)
    (losses.supervised + losses.explanation + losses.contrastive).backward()
    assert [name for name in reached(net) if "lora_B" in name]
    assert not [name for name in reached(net) if name.startswith("head.")]


def test_a_step_pulls_positives_together() -> None:
    net, given = network(), batch(PAIRED)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    before = net(given, IS_POSITIVE, ~IS_POSITIVE).contrastive
    before.backward()
    optimizer.step()
    assert net(given, IS_POSITIVE, ~IS_POSITIVE).contrastive < before
