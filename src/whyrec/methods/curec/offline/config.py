"""Settings of the patterns and reasons that no language model writes."""

from typing import Literal

from pydantic import Field

from whyrec.runtime.strict_model import StrictModel

Address = Literal["third", "second"]


class OfflineTextConfig(StrictModel):
    """What counts as an interest, and how it is told."""

    newest: int = Field(default=50, ge=1)
    """Interactions of a history that are counted, the most recent ones. Chosen: the length of the reward model's."""
    prior_interactions: float = Field(default=10.0, gt=0)
    """Interactions of the average user that are added to a history before its shares are compared."""
    min_items: int = Field(default=2, ge=1)
    """Items that must share an aspect, for one that nobody else has says nothing."""
    max_item_share: float = Field(default=0.9, gt=0, le=1)
    """An aspect of more items than this share of the catalogue is left out: it tells nobody from nobody."""
    keywords_per_item: int = Field(default=4, ge=0)
    """Most informative words that each item's text puts forward; 0 leaves keywords out."""
    keyword_min_items: int = Field(default=5, ge=1)
    """Items whose text must hold a word."""
    keyword_max_share: float = Field(default=0.03, gt=0, le=1)
    """The largest share of items whose text holds a word: commoner ones are no theme."""
    max_aspects: int = Field(default=6, ge=1, le=10)
    """Aspects of a pattern (methods.md §3.5: four to six)."""
    max_pattern_words: int = Field(default=120, ge=20)
    """Longest pattern."""
    max_reason_words: int = Field(default=60, ge=20)
    """Longest reason."""
    address: Address = "third"
    """Speak of "this viewer", for others read the reason too, or to "you"."""
    check: bool = True
    """Verify every text; unchecked ones are marked unverified."""
    seed: int = 0
    """Seed of the choice between phrasings."""
