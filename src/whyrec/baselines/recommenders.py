"""The personalised baselines by name, as tables and the command line spell them."""

from collections.abc import Mapping
from types import MappingProxyType

from whyrec.baselines.sequential import SasRecRecommender
from whyrec.recommending.base import ScoringRecommender

RECOMMENDERS: Mapping[str, type[ScoringRecommender]] = MappingProxyType({"sasrec": SasRecRecommender})
"""From name to class; each is made with its ``Config``."""
