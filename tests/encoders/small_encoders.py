"""One small encoder of each kind, and histories to feed them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.bert4rec import Bert4Rec, Bert4RecConfig
from whyrec.encoders.caser import Caser, CaserConfig
from whyrec.encoders.gru4rec import Gru4Rec, Gru4RecConfig
from whyrec.encoders.hgn import Hgn, HgnConfig
from whyrec.encoders.item_losses import UnseenNegativesLoss
from whyrec.encoders.masked import MaskedItems
from whyrec.encoders.objectives import FullSoftmaxLoss, NextItem, NextItems, Objective
from whyrec.encoders.sasrec import SasRec, SasRecConfig

N_ITEMS = 40
N_USERS = 50
HISTORY_SEEDS = (3, 4)

Builder = Callable[..., SequenceEncoder]


def sasrec(*, dropout: float = 0.0, frozen: Tensor | None = None) -> SequenceEncoder:
    config = SasRecConfig(embedding_dim=16, n_layers=2, n_heads=2, max_history=20, dropout=dropout)
    return SasRec(N_ITEMS, config, frozen=frozen)


def gru4rec(*, dropout: float = 0.0, frozen: Tensor | None = None) -> SequenceEncoder:
    config = Gru4RecConfig(embedding_dim=16, hidden_dim=24, n_layers=2, max_history=20, dropout=dropout)
    return Gru4Rec(N_ITEMS, config, frozen=frozen)


def gru4rec_untied(*, dropout: float = 0.0, frozen: Tensor | None = None) -> SequenceEncoder:
    config = Gru4RecConfig(embedding_dim=16, hidden_dim=16, tied=False, max_history=20, dropout=dropout)
    return Gru4Rec(N_ITEMS, config, frozen=frozen)


def bert4rec(*, dropout: float = 0.0, frozen: Tensor | None = None) -> SequenceEncoder:
    config = Bert4RecConfig(embedding_dim=16, n_layers=2, inner_dim=32, max_history=21, dropout=dropout)
    return Bert4Rec(N_ITEMS, config, frozen=frozen)


def caser(*, dropout: float = 0.0, frozen: Tensor | None = None) -> SequenceEncoder:
    config = CaserConfig(embedding_dim=16, max_history=4, n_vertical=2, n_horizontal=3, dropout=dropout)
    return Caser(N_ITEMS, config, n_users=N_USERS, frozen=frozen)


def hgn(*, dropout: float = 0.0, frozen: Tensor | None = None) -> SequenceEncoder:
    return Hgn(N_ITEMS, HgnConfig(embedding_dim=16, max_history=4), n_users=N_USERS, frozen=frozen)


ENCODERS: dict[str, Builder] = {
    build.__name__: build for build in (sasrec, gru4rec, gru4rec_untied, bert4rec, caser, hgn)
}


def made(name: str, *, dropout: float = 0.0, frozen: Tensor | None = None, seed: int = 0) -> SequenceEncoder:
    """An encoder with weights of a seed, large enough that small differences would show."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = ENCODERS[name](dropout=dropout, frozen=frozen)
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter += 0.1 * torch.randn(parameter.shape)
    return encoder


def objective_of(name: str, sequences: Sequences) -> Objective:
    """What each kind is trained on."""
    if name == "bert4rec":
        return MaskedItems(FullSoftmaxLoss(), mask_ratio=0.3, last_share=0.3)
    if name == "caser":
        return NextItems(UnseenNegativesLoss("bce", sequences, n_negatives=3), n_targets=2)
    if name == "hgn":
        return NextItems(UnseenNegativesLoss("bpr", sequences, n_negatives=2), n_targets=2)
    return NextItem(FullSoftmaxLoss())


def drawn_histories(*, n_users: int = N_USERS, shortest: int = 1, longest: int = 20, seed: int = 3) -> Sequences:
    """Histories of unequal length without repeated items, with owners."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(N_ITEMS)[: rng.integers(shortest, longest + 1)] + 1 for _ in range(n_users)]
    return replace(Sequences.of([row.tolist() for row in rows]), owners=np.arange(1, n_users + 1))
