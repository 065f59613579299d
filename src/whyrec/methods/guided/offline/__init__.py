"""Scores without a language model: a sentence encoder, the catalogue's own labels and facts, and users' histories."""

from whyrec.methods.guided.offline.items import OfflineConfig, OfflineScorer, ScoringReport, TextEncoder, item_lines
from whyrec.methods.guided.offline.users import user_levels

__all__ = ["OfflineConfig", "OfflineScorer", "ScoringReport", "TextEncoder", "item_lines", "user_levels"]
