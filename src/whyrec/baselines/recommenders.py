"""The personalised baselines by name, as tables and the command line spell them."""

from collections.abc import Mapping
from types import MappingProxyType

from whyrec.baselines.content import Bm25Recommender, TextKnnRecommender
from whyrec.baselines.factorisation import BprRecommender, HybridRecommender
from whyrec.baselines.neighbours import ItemKnnRecommender, UserKnnRecommender
from whyrec.baselines.neural_cf import NeuralCfRecommender
from whyrec.baselines.personal import CaserRecommender, HgnRecommender
from whyrec.baselines.popular import PopularRecommender
from whyrec.baselines.sequential import SasRecRecommender
from whyrec.baselines.sequential_kinds import Bert4RecRecommender, Gru4RecPlusRecommender, Gru4RecRecommender
from whyrec.recommending.base import ScoringRecommender

RECOMMENDERS: Mapping[str, type[ScoringRecommender]] = MappingProxyType(
    {
        "popular": PopularRecommender,
        "item_knn": ItemKnnRecommender,
        "user_knn": UserKnnRecommender,
        "bpr": BprRecommender,
        "hybrid": HybridRecommender,
        "ncf": NeuralCfRecommender,
        "bm25": Bm25Recommender,
        "text_knn": TextKnnRecommender,
        "sasrec": SasRecRecommender,
        "bert4rec": Bert4RecRecommender,
        "gru4rec": Gru4RecRecommender,
        "gru4rec_plus": Gru4RecPlusRecommender,
        "caser": CaserRecommender,
        "hgn": HgnRecommender,
    }
)
"""From name to class; each is made with its ``Config``."""
