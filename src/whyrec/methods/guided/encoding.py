"""The four encoders that guided columns are put into, and what each is trained on; with such columns or without."""

from jaxtyping import Float
from torch import Tensor

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.bert4rec import Bert4Rec, Bert4RecConfig
from whyrec.encoders.gru4rec import Gru4Rec, Gru4RecConfig
from whyrec.encoders.item_losses import SharedNegativesLoss
from whyrec.encoders.masked import MaskedItems
from whyrec.encoders.negatives import ItemDistribution
from whyrec.encoders.objectives import FullSoftmaxLoss, ItemLoss, NextItem, Objective
from whyrec.encoders.sasrec import SasRec, SasRecConfig
from whyrec.errors import InvalidConfigError
from whyrec.methods.guided.config import EncoderConfig

_N_NEGATIVES = 2048
"""Of GRU4Rec+, for each micro-batch. The authors' code: 2048."""
_POPULARITY_EXPONENT, _SCORE_WEIGHT, _ELU = 0.5, 1.0, 0.5
"""Of drawn negatives, and of GRU4Rec+'s loss; its authors tune all three."""
_INNER_FACTOR = 4
"""Units of BERT4Rec's network for each column. Paper: 4."""


def new_encoder(
    config: EncoderConfig, n_items: int, *, embedding_dim: int, frozen: Float[Tensor, "I K"] | None = None
) -> SequenceEncoder:
    """Make an untrained encoder; weights come from torch's generator.

    Args:
        config: Which, and its shape.
        n_items: Items, without the padding.
        embedding_dim: All columns of an item, frozen ones included.
        frozen: Columns that stay as they are.

    Raises:
        InvalidConfigError: If the heads do not divide the columns, or frozen columns leave no room.
    """
    require_heads(config, embedding_dim=embedding_dim)
    shape: dict[str, object] = {
        "embedding_dim": embedding_dim,
        "max_history": config.max_history,
        "dropout": config.dropout,
    }
    shape |= {} if config.n_layers is None else {"n_layers": config.n_layers}
    if config.encoder == "sasrec":
        return SasRec(n_items, SasRecConfig.model_validate({**shape, "n_heads": config.n_heads}), frozen=frozen)
    if config.encoder == "bert4rec":
        shape |= {"n_heads": config.n_heads, "inner_dim": _INNER_FACTOR * embedding_dim}
        return Bert4Rec(n_items, Bert4RecConfig.model_validate(shape), frozen=frozen)
    shape["hidden_dim"] = config.hidden_dim
    return Gru4Rec(n_items, Gru4RecConfig.model_validate(shape), frozen=frozen)


def objective_of(config: EncoderConfig, sequences: Sequences, *, n_items: int) -> Objective:
    """What an encoder is trained on: cross-entropy over items, but for GRU4Rec+.

    Args:
        config: Which encoder, and whether over all items.
        sequences: Training items, from which negatives are drawn.
        n_items: Items, without the padding.
    """
    distribution = ItemDistribution.from_counts(sequences, n_items=n_items, exponent=_POPULARITY_EXPONENT)
    if config.encoder == "gru4rec_plus":
        n_negatives = config.n_negatives or _N_NEGATIVES
        loss = SharedNegativesLoss("bpr_max", distribution, n_negatives, score_weight=_SCORE_WEIGHT, elu=_ELU)
        return NextItem(loss)
    softmax: ItemLoss = FullSoftmaxLoss()
    if config.n_negatives is not None:
        softmax = SharedNegativesLoss("sampled_softmax", distribution, config.n_negatives)
    return MaskedItems(softmax) if config.encoder == "bert4rec" else NextItem(softmax)


def require_heads(config: EncoderConfig, *, embedding_dim: int) -> None:
    """Say before anything is scored or trained that heads do not divide the columns (G17).

    Raises:
        InvalidConfigError: If so.
    """
    if config.encoder in ("sasrec", "bert4rec") and embedding_dim % config.n_heads:
        raise InvalidConfigError(
            f"{config.encoder}: expected n_heads that divide the {embedding_dim} columns of an item (base and guided "
            f"ones), got {config.n_heads}. Change n_heads or base_columns."
        )
