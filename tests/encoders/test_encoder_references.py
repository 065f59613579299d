"""Each encoder against a second computation of the same weights, written out item by item."""

import math

import numpy as np
import pytest
import torch
from small_encoders import N_ITEMS, drawn_histories, made
from torch import Tensor, nn

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.bert4rec import Bert4Rec
from whyrec.encoders.caser import Caser
from whyrec.encoders.dropout import no_dropout
from whyrec.encoders.gru4rec import Gru4Rec
from whyrec.encoders.hgn import Hgn
from whyrec.encoders.sasrec import AttentionBlock, SasRec
from whyrec.encoders.sequences import rectangle

HISTORIES = drawn_histories(n_users=12)


def array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def linear(layer: nn.Linear, x: np.ndarray) -> np.ndarray:
    found = x @ array(layer.weight).T
    return found if layer.bias is None else found + array(layer.bias)


def norm(layer: nn.LayerNorm, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean()
    return centred / math.sqrt((centred**2).mean() + layer.eps) * array(layer.weight) + array(layer.bias)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.array([math.erf(value / math.sqrt(2)) for value in x]))


def attention(block: nn.Module, rows: list[np.ndarray], *, is_causal: bool, n_heads: int) -> list[np.ndarray]:
    """What each position gathers, head by head and pair by pair."""
    dim = len(rows[0])
    size = dim // n_heads
    packed = [linear(block.query_key_value, norm(block.attention_norm, row)) for row in rows]  # type: ignore[arg-type]
    found = []
    for place, mine in enumerate(packed):
        visible = packed[: place + 1] if is_causal else packed
        heads = []
        for head in range(n_heads):
            part = slice(head * size, (head + 1) * size)
            query = mine[:dim][part]
            weights = np.exp([query @ other[dim : 2 * dim][part] / math.sqrt(size) for other in visible])
            values = [other[2 * dim :][part] for other in visible]
            heads.append(sum(w * v for w, v in zip(weights / weights.sum(), values, strict=True)))
        found.append(linear(block.attended, np.concatenate(heads)))  # type: ignore[arg-type]
    return found


def block_output(block: nn.Module, rows: list[np.ndarray], *, is_causal: bool, n_heads: int) -> list[np.ndarray]:
    gathered = attention(block, rows, is_causal=is_causal, n_heads=n_heads)
    middle = [row + more for row, more in zip(rows, gathered, strict=True)]
    activation = (lambda x: np.maximum(x, 0)) if is_causal else gelu
    return [
        row + linear(block.outer, activation(linear(block.inner, norm(block.network_norm, row))))  # type: ignore[arg-type]
        for row in middle
    ]


def vectors(encoder: SequenceEncoder, items: list[int]) -> list[np.ndarray]:
    table = array(encoder.items.weight())  # type: ignore[union-attr, operator]
    return [table[item] for item in items]


def sasrec_reference(encoder: SequenceEncoder, items: list[int], owner: int) -> np.ndarray:
    assert isinstance(encoder, SasRec)
    positions = array(encoder.positions)[encoder.max_history - len(items) :]
    rows = [4.0 * x + p for x, p in zip(vectors(encoder, items), positions, strict=True)]
    for block in encoder.blocks:
        rows = block_output(block, rows, is_causal=True, n_heads=2)
    return norm(encoder.norm, rows[-1])


def bert4rec_reference(encoder: SequenceEncoder, items: list[int], owner: int) -> np.ndarray:
    assert isinstance(encoder, Bert4Rec)
    positions = array(encoder.positions)[encoder.config.max_history - len(items) - 1 :]
    read = [*vectors(encoder, items), array(encoder.mask)]
    rows = [norm(encoder.embedding_norm, x + p) for x, p in zip(read, positions, strict=True)]
    for block in encoder.blocks:
        rows = block_output(block, rows, is_causal=False, n_heads=2)
    return norm(encoder.projection_norm, gelu(linear(encoder.projection, norm(encoder.norm, rows[-1]))))


def gru4rec_reference(encoder: SequenceEncoder, items: list[int], owner: int) -> np.ndarray:
    assert isinstance(encoder, Gru4Rec)
    rows = vectors(encoder, items)
    for layer in encoder.layers:
        weights = {name: array(parameter) for name, parameter in layer.named_parameters()}
        hidden, outputs = np.zeros(layer.hidden_size), []
        for x in rows:
            read = np.split(weights["weight_ih_l0"] @ x + weights["bias_ih_l0"], 3)
            kept = np.split(weights["weight_hh_l0"] @ hidden + weights["bias_hh_l0"], 3)
            reset, update = sigmoid(read[0] + kept[0]), sigmoid(read[1] + kept[1])
            hidden = (1 - update) * np.tanh(read[2] + reset * kept[2]) + update * hidden
            outputs.append(hidden)
        rows = outputs
    return linear(encoder.projection, rows[-1]) if isinstance(encoder.projection, nn.Linear) else rows[-1]


def caser_reference(encoder: SequenceEncoder, items: list[int], owner: int) -> np.ndarray:
    assert isinstance(encoder, Caser)
    length = encoder.max_history
    window = [np.zeros(16)] * (length - len(items[-length:])) + vectors(encoder, items[-length:])
    image = np.stack(window)
    found: list[float] = []
    for weight, bias in zip(array(encoder.vertical.weight)[:, 0], array(encoder.vertical.bias), strict=True):
        found += [float(weight @ image[:, column] + bias) for column in range(16)]
    for filters in encoder.horizontal:
        for weight, bias in zip(array(filters.weight), array(filters.bias), strict=True):
            height = weight.shape[1]
            answers = [float((weight.T * image[top : top + height]).sum() + bias) for top in range(length - height + 1)]
            found.append(max(0.0, *answers))
    z = np.maximum(linear(encoder.dense, np.array(found)), 0)
    return np.concatenate([z, array(encoder.users.weight)[owner]])


def hgn_reference(encoder: SequenceEncoder, items: list[int], owner: int) -> np.ndarray:
    assert isinstance(encoder, Hgn)
    user = array(encoder.users.weight)[owner]
    steer = linear(encoder.item_gate_user, user)
    window = vectors(encoder, items[-encoder.max_history :])
    pooled, plain, total = np.zeros(16), np.zeros(16), 0.0
    for x, place in zip(window, range(encoder.max_history - len(window), encoder.max_history), strict=True):
        gated = x * sigmoid(linear(encoder.column_gate_item, x) + linear(encoder.column_gate_user, user))
        weight = float(sigmoid(linear(encoder.item_gate_item, gated) + steer[place])[0])
        pooled, plain, total = pooled + weight * gated, plain + x, total + weight
    return user + pooled / total + plain


REFERENCES = {
    "sasrec": sasrec_reference,
    "bert4rec": bert4rec_reference,
    "gru4rec": gru4rec_reference,
    "gru4rec_untied": gru4rec_reference,
    "caser": caser_reference,
    "hgn": hgn_reference,
}


@pytest.mark.parametrize("kind", sorted(REFERENCES))
def test_last_states_are_those_of_the_reference(kind: str) -> None:
    encoder = made(kind)
    users = np.arange(len(HISTORIES))
    batch = rectangle(HISTORIES, users, max_history=encoder.max_history)
    with torch.inference_mode():
        found = array(encoder.last_state(batch))
    for user in users:
        expected = REFERENCES[kind](encoder, HISTORIES.row(user).tolist(), int(user) + 1)
        np.testing.assert_allclose(found[user], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(REFERENCES))
def test_of_a_long_history_the_last_twenty_items_are_read(kind: str) -> None:
    """BERT4Rec has 21 positions here, one of them for the mask."""
    encoder = made(kind)
    items = np.random.default_rng(1).permutation(N_ITEMS)[:30] + 1
    batch = rectangle(Sequences.of([items.tolist()]), np.array([0]), max_history=encoder.max_history)
    with torch.inference_mode():
        found = array(encoder.last_state(batch))
    np.testing.assert_allclose(found[0], REFERENCES[kind](encoder, items[-20:].tolist(), 0), rtol=1e-4, atol=1e-5)


def test_one_attention_block_is_the_reference_at_every_position() -> None:
    torch.manual_seed(4)
    block, x = AttentionBlock(12, n_heads=3), torch.randn(2, 7, 12)
    found = array(block(x, drop=no_dropout))
    for row in range(2):
        expected = block_output(block, list(array(x[row])), is_causal=True, n_heads=3)
        np.testing.assert_allclose(found[row], np.stack(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", sorted(REFERENCES))
def test_scores_are_products_with_the_output_table_and_its_bias(kind: str) -> None:
    encoder = made(kind)
    states = torch.randn(3, encoder.output_table().shape[1])
    table = array(encoder.output_table())
    assert table.shape[0] == N_ITEMS
    bias = encoder.output_bias()
    expected = array(states) @ table.T + (0 if bias is None else array(bias))
    np.testing.assert_allclose(array(encoder.scores(states)), expected, rtol=1e-4, atol=1e-5)
    is_input_table = table.shape[1] == 16 and np.array_equal(table, np.stack(vectors(encoder, list(range(1, 41)))))
    assert is_input_table == (kind in ("sasrec", "bert4rec", "gru4rec"))
