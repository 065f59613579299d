"""A fit of CURec in four stages: texts, encoder of histories, vectors of texts, reward model.

Each can be run by itself: a stage asks those before it for what it needs, and with a directory for checkpoints every
result is kept as soon as it is there. Everything in it is earlier than the moment that is fitted until.
"""

import json
import shutil
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import torch

from whyrec.data import schema
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.ranking import HeldOut
from whyrec.errors import InvalidDataError
from whyrec.llm.model import LanguageModel
from whyrec.methods.curec.base_encoder import new_encoder, train_encoder
from whyrec.methods.curec.histories import Interaction, UserHistory, interactions_of, read_user_histories
from whyrec.methods.curec.item_start import start_from_cooccurrence
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.reward_inputs import Queries, RewardInputs, TimedSequences
from whyrec.methods.curec.reward_model import RewardModel
from whyrec.methods.curec.reward_training import RewardReport, train_reward_model
from whyrec.methods.curec.texts import REASONS_FILE, Texts, write_texts
from whyrec.methods.curec.vector_files import Vectors, embed_all, read_vectors, write_vectors
from whyrec.methods.curec.writers import writers_of
from whyrec.recommending.base import TrainingData
from whyrec.runtime.atomic import atomic_file
from whyrec.runtime.devices import chosen_device

_STAGES_FILE, _PARTS = "stages.json", "texts"
_NOT_OF_THE_RESULT = ("checkpoints", "device", "cache", "api_key_variable", "reranked")
"""Settings that change where and how something is done, not what a stage leaves."""


@dataclass(frozen=True, eq=False)
class Split:
    """Training items, and the held-out ones that tell when to stop."""

    training: TimedSequences
    validation: Queries


class Stages:
    """The stages of one fit; every result is computed when it is first asked for."""

    def __init__(
        self, training: TrainingData, config: CURecConfig, *, language_model: LanguageModel | None = None
    ) -> None:
        """Prepare; nothing is computed.

        Args:
            training: What may be learned from.
            config: Settings.
            language_model: Who writes; None: the offline writer.

        Raises:
            InvalidConfigError: If this machine has no such device.
        """
        self.config = config
        self.item_ids = training.histories.item_ids
        self._training = training
        self._language_model = language_model
        self._device = chosen_device(config.device)

    @cached_property
    def histories(self) -> dict[str, UserHistory]:
        """By user_id; user row u of all stages is the u-th of them."""
        return read_user_histories(self._training.data, until=self._training.until)

    @cached_property
    def offline(self) -> OfflineWriter:
        """The offline writer, fitted."""
        return OfflineWriter(self.config.texts).fit(self._training.data, until=self._training.until)

    @cached_property
    def texts(self) -> Texts:
        """Stage 1: patterns of users' beginnings, and reasons of training interactions (CURec Eqs. (5) and (6)).

        Raises:
            InvalidDataError: If the directory for checkpoints holds another fit's, or texts that cannot be read.
            EndpointError: If a language model's server fails for good; what was answered before is in its cache.
        """
        kept, user_ids = self._checkpoint(REASONS_FILE), pl.Series(schema.USER, list(self.histories), dtype=pl.String)
        if kept is not None and kept.is_file():
            return Texts.read(kept.parent, item_ids=self.item_ids, user_ids=user_ids)
        parts = self._checkpoint(_PARTS)
        writers = writers_of(
            self.offline,
            items=self._training.data.items,
            model=self._language_model,
            verify=self.config.verify_texts,
        )
        texts = write_texts(
            self.histories,
            self._wanted(),
            writers,
            every=self.config.pattern_every,
            item_ids=self.item_ids,
            parts=parts,
        )
        if kept is not None and parts is not None:
            texts.write(kept.parent)
            shutil.rmtree(parts)
        return texts

    @cached_property
    def base(self) -> SequenceEncoder:
        """Stage 2: the encoder of histories, trained without any text.

        Raises:
            InvalidDataError: If no user has two items, or the directory for checkpoints holds another fit's.
            TrainingError: If the loss is not a number any more.
        """
        config, validation = self.config, self.split.validation
        seed, sequences = config.base_training.seed, self.split.training.sequences
        encoder = new_encoder(len(self.item_ids), config.base, seed=seed)
        if config.base_start == "cooccurrence":
            start_from_cooccurrence(encoder, sequences, seed=seed)
        encoder.to(self._device)
        train_encoder(
            encoder,
            sequences,
            config=config.base_training,
            validation=HeldOut(validation.histories, validation.targets) if len(validation) else None,
            checkpoint=self._checkpoint("base.safetensors"),
        )
        return encoder

    @cached_property
    def vectors(self) -> Vectors:
        """Stage 3: vectors of all texts.

        Raises:
            InvalidDataError: If the texts have no two different words, or the directory for checkpoints holds another
                fit's.
            InvalidModelError: If there is no such sentence encoder.
        """
        kept, texts = self._checkpoint("vectors.safetensors"), self.texts
        if kept is not None and kept.is_file():
            return read_vectors(kept, config=self.config)
        vectors = embed_all(texts.patterns.frame["text"], texts.reasons.frame["text"], config=self.config)
        if kept is not None:
            write_vectors(vectors, kept)
        return vectors

    @cached_property
    def reward(self) -> tuple[RewardModel, RewardReport]:
        """Stage 4: the reward model on all of these, and how its training went.

        Raises:
            TrainingError: If the loss is not a number any more.
        """
        config, texts, vectors = self.config, self.texts, self.vectors
        base = self.base
        times = texts.reasons.frame[schema.TIMESTAMP].dt.epoch("us").to_numpy()
        inputs = RewardInputs(texts.patterns, vectors.patterns, texts.reasons, vectors.reasons, times)
        model = new_reward_model(base, config, text_dim=inputs.text_dim).to(self._device)
        if not len(self.split.validation):
            model.eval()
            return model, RewardReport()
        report = train_reward_model(
            model,
            self.split.training,
            inputs,
            config=config.training,
            validation=self.split.validation,
            checkpoint=self._checkpoint("reward.safetensors"),
        )
        return model, report

    @cached_property
    def split(self) -> Split:
        """What is learned from, and what is held out."""
        numbers = {item_id: number for number, item_id in enumerate(self.item_ids, start=1)}
        return split_last(
            self.histories, item_numbers=numbers, n_users=self.config.validation_users, seed=self.config.training.seed
        )

    def _wanted(self) -> list[Interaction]:
        """The interactions that are explained."""
        config = self.config
        wanted = [
            interaction
            for history in self.histories.values()
            for interaction in with_a_past(history, at_least=config.min_history)
        ]
        if config.reasons_per_item is None:
            return wanted
        return thinned(wanted, per_item=config.reasons_per_item, newest=config.model.max_reasons)

    def _checkpoint(self, name: str) -> Path | None:
        """Where a stage's result is kept; None if nothing is. Refuses the directory of another fit."""
        directory = self.config.checkpoints
        if directory is None:
            return None
        about = {
            "data": self._training.data.fingerprint,
            "until": self._training.until.isoformat(),
            "writer": "offline" if self._language_model is None else self._language_model.writer,
            "settings": self.config.model_dump(mode="json", exclude=set(_NOT_OF_THE_RESULT)),
        }
        path = directory / _STAGES_FILE
        if not path.is_file():
            with atomic_file(path) as partial:
                partial.write_text(json.dumps(about), encoding="utf-8")
        began = json.loads(path.read_text(encoding="utf-8"))
        differing = [key for key, value in about.items() if began.get(key) != value]
        if differing:
            raise InvalidDataError(
                f"{directory}: expected stages of the same {differing[0]}, got those of a fit with others. Choose "
                "another directory for checkpoints, or remove this one."
            )
        return directory / name


def new_reward_model(base: SequenceEncoder, config: CURecConfig, *, text_dim: int) -> RewardModel:
    """Make an untrained reward model; the same seed gives the same weights and leaves torch's own generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        return RewardModel(base, config.model, text_dim=text_dim)


def split_last(
    histories: Mapping[str, UserHistory], *, item_numbers: Mapping[str, int], n_users: int, seed: int
) -> Split:
    """Hold out the last item of some users with three at least: with two, nothing would be left to learn from.

    Args:
        histories: By user_id.
        item_numbers: From 1, by item_id.
        n_users: At most so many, drawn at random.
        seed: Of the draw.
    """
    everything = TimedSequences.of(histories, item_numbers=item_numbers)
    eligible = np.flatnonzero(everything.sequences.lengths >= 3)
    drawn = np.random.default_rng(seed).choice(eligible, size=min(n_users, len(eligible)), replace=False)
    is_held = np.zeros(len(everything.sequences), dtype=np.bool_)
    is_held[drawn] = True
    kept = {
        user_id: history.first(len(history) - 1) if held else history
        for (user_id, history), held in zip(histories.items(), is_held.tolist(), strict=True)
    }
    last = everything.last_items()
    return Split(TimedSequences.of(kept, item_numbers=item_numbers), last.select(np.flatnonzero(is_held[last.users])))


def with_a_past(history: UserHistory, *, at_least: int) -> Iterator[Interaction]:
    """The interactions of a history that have so many strictly before them."""
    for interaction in interactions_of({history.user_id: history}):
        if bisect_left(history.timestamps, interaction.timestamp) >= at_least:
            yield interaction


def thinned(interactions: list[Interaction], *, per_item: int, newest: int) -> list[Interaction]:
    """At most so many interactions of each item, spread evenly over their order in time, and its newest ones.

    Args:
        interactions: In any order.
        per_item: How many are spread.
        newest: How many of the newest are kept in any case.
    """
    frame = pl.DataFrame(
        {"item": [it.item_id for it in interactions], "time": [it.timestamp for it in interactions]},
        schema={"item": pl.String, "time": schema.TIMESTAMP_TYPE},
    )
    counted = frame.select(
        (pl.col("time").rank("ordinal").over("item") - 1).cast(pl.Int64).alias("rank"),
        pl.len().over("item").cast(pl.Int64).alias("n"),
    )
    rank, n = (counted[name].to_numpy() for name in ("rank", "n"))
    # The places where the number of reasons written so far goes up by one.
    is_spread = (rank + 1) * per_item // np.maximum(n, 1) > rank * per_item // np.maximum(n, 1)
    is_kept = (n <= per_item) | is_spread | (rank >= n - newest)
    return [interactions[place] for place in np.flatnonzero(is_kept).tolist()]
