"""The encoder that a reward model starts from: made and trained without any text."""

from pathlib import Path

import numpy as np
import torch

from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.objectives import FullSoftmaxLoss, NextItem
from whyrec.encoders.ranking import HeldOut
from whyrec.encoders.sasrec import SasRec, SasRecConfig
from whyrec.encoders.sequences import rectangle
from whyrec.encoders.train import TrainingConfig, TrainingReport, train
from whyrec.methods.curec.config import BaseConfig
from whyrec.methods.curec.user_token import PrefixItems, UserTokenEncoder


def new_encoder(n_items: int, config: BaseConfig, *, seed: int = 0) -> SequenceEncoder:
    """Make an untrained encoder; the same seed gives the same weights and leaves torch's own generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if config.user_state == "token":
            return UserTokenEncoder(n_items, config)
        return SasRec(n_items, SasRecConfig.model_validate(config.model_dump(exclude={"user_state"})))


def train_encoder(
    encoder: SequenceEncoder,
    sequences: Sequences,
    *,
    config: TrainingConfig,
    validation: HeldOut | None,
    checkpoint: Path | None = None,
) -> TrainingReport:
    """Train an encoder in place with a softmax over all items (CURec Eq. (11) without a network on pairs).

    Args:
        encoder: As ``new_encoder`` made it, on the device where it is to be trained.
        sequences: Training items only.
        config: How.
        validation: Items that tell when to stop; they must not be in ``sequences``.
        checkpoint: A file for the state after every epoch; a run that finds one goes on from it.

    Raises:
        InvalidDataError: If no user has two items.
        TrainingError: If the loss is not a number any more.
    """
    loss = FullSoftmaxLoss()
    objective = PrefixItems(loss) if isinstance(encoder, UserTokenEncoder) else NextItem(loss)
    return train(encoder, sequences, objective=objective, config=config, validation=validation, checkpoint=checkpoint)


def window_states(encoder: SasRec, windows: Sequences, *, block: int = 256) -> torch.Tensor:
    """The state after each item of each user's window, without gradients.

    Args:
        encoder: Trained and causal: no state knows the items after its own.
        windows: At most ``max_history`` items each.
        block: Users at a time.

    Returns:
        Float32 ``[U, T, D]`` on the CPU; what stands behind a window's last item is meaningless.
    """
    width = int(windows.lengths.max(initial=1))
    device = encoder.output_table().device
    encoder.eval()
    with torch.inference_mode():
        parts = [
            encoder.states(rectangle(windows, users, max_history=encoder.max_history, width=width).to(device)).cpu()
            for users in np.array_split(np.arange(len(windows)), max(-(-len(windows) // block), 1))
        ]
    return torch.cat(parts)
