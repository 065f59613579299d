"""Settings of ``GuidedRecommender``."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from whyrec.encoders.recommender import SequentialConfig
from whyrec.encoders.train import TrainingConfig
from whyrec.llm.embedding_model import PACKAGED_MODEL
from whyrec.methods.guided.offline.items import OfflineConfig
from whyrec.methods.guided.refine import Matching, UserSide

EncoderKind = Literal["sasrec", "bert4rec", "gru4rec", "gru4rec_plus"]


class EncoderConfig(SequentialConfig):
    """Shape and training of the encoder; the same with guided columns and without."""

    training: TrainingConfig = TrainingConfig(patience=10)
    """How it is trained."""
    encoder: EncoderKind = "sasrec"
    """Which one; ``gru4rec_plus`` is GRU4Rec with BPR-max (the paper's GRU4Rec+)."""
    n_layers: int | None = Field(default=None, ge=1)
    """None: the encoder's own default."""
    n_heads: int = Field(default=1, ge=1)
    """Attention heads; they must divide all columns together (G17). Chosen: 1, which divides any."""
    hidden_dim: int = Field(default=128, ge=1)
    """Units of GRU4Rec and GRU4Rec+. Chosen."""
    max_history: int = Field(default=50, ge=2)
    """The most recent items that are read. Chosen: 50."""
    n_negatives: int | None = Field(default=None, ge=1)
    """Items drawn for each micro-batch, which its losses run over in place of all: on a large catalogue an epoch then
    takes a fraction of the time. What was drawn more often for being popular is corrected for. None takes all items;
    GRU4Rec+, which always draws, then draws 2,048."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Of the encoder in training. Chosen."""


class GuidedConfig(EncoderConfig):
    """All settings of a recommender with guided columns."""

    base_columns: int = Field(default=48, ge=1)
    """Trainable columns of an item; as many guided ones as there are aspects stand behind them. Paper: 48 and 12."""
    aspects: str = "movies"
    """The scales: the name of a set that comes with whyrec (beauty, clothing, games, movies, products, toys), or a TOML
    file of your own."""
    only_aspects: tuple[str, ...] | None = None
    """Keys of the aspects that are used, in this order; None uses all."""
    weight: float = Field(default=1.0, ge=0)
    """alpha, of the guided columns. Paper: .25 to 4; which is best is lost, so 1 (G7)."""
    learns_weight: bool = False
    """Let training change the weight: one factor for all guided columns, which starts at ``weight``."""
    user_side: UserSide = "logit"
    """Where users' preferences go (G6). ``logit`` adds <g_u, g_i> to the score, ``concat`` puts them in place of the
    state's last columns, ``item`` leaves them out."""
    matching: Matching = "dot"
    """How levels of user and item meet: product, or ``distance`` (G10)."""
    match_strength: float | None = None
    """With ``logit`` and ``dot``: levels of user and item are multiplied in deviations, and training finds how much
    that counts on each aspect, from this strength on. None multiplies the columns as they are, as in the paper, where
    their products are too small to move a list (G22)."""
    scores: Path | None = None
    """A file of item scores written earlier; None: by ``llm``, or without a language model where there is none."""
    user_scores: Path | None = None
    """A file of users' preferred levels, written from what was before the last item of each."""
    preferences: Literal["history", "written"] = "history"
    """Where users' preferred levels come from. ``history``: the levels of what they took, up to the moment of each
    prediction. ``written``: ``user_scores``, or else asked of ``llm``; one row for each user of the training data."""
    half_life_items: float = Field(default=10.0, ge=0.01, allow_inf_nan=True)
    """With ``history``: after so many later items, one counts half; at ``inf`` all count alike. Chosen."""
    offline: OfflineConfig = OfflineConfig()
    """How items are scored without a language model."""
    text_model: str = PACKAGED_MODEL
    """The sentence encoder that reads texts where items are scored without a language model: a name or a directory."""
    llm: str | None = None
    """Which language model scores: ``local:DIRECTORY``, ``local:HUB/NAME`` or ``URL#MODEL``."""
    api_key_variable: str = "WHYREC_API_KEY"
    """The environment variable that holds a server's key, where ``llm`` names a server."""
    cache: Path | None = None
    """The file of the answers of ``llm``; None for the one in the user's data directory."""

    @model_validator(mode="after")
    def _users_have_a_source(self) -> Self:
        if self.user_scores is not None and self.preferences != "written":
            raise ValueError("user_scores needs preferences = 'written'; set both or neither")
        if self.preferences == "written" and self.user_side == "item":
            raise ValueError("preferences 'written' have no place with user_side 'item'; choose 'logit' or 'concat'")
        if self.matching == "distance" and self.user_side == "item":
            raise ValueError("matching 'distance' needs preferences of users; choose user_side 'logit' or 'concat'")
        if self.match_strength is not None and (self.user_side, self.matching) != ("logit", "dot"):
            raise ValueError("match_strength needs user_side 'logit' and matching 'dot'; set these or leave it out")
        return self
