"""Verification: is what an explanation says borne out by the item's history, forecast and catalogue entry?

Deterministic and independent of who wrote the text. ``lexicon``, ``concepts``, ``genres`` and the ``*_words`` hold the
words; ``mentions`` and ``places`` find what a text speaks of, and ``binding`` ties numbers to months. ``names``,
``values``, ``months``, ``numbers``, ``shares``, ``ranks``, ``trends``, ``extremes`` and ``since`` judge, and ``check``
puts them in order.
"""

from whyrec.evaluation.verification.check import verify_explanation
from whyrec.evaluation.verification.evidence import evidence_of
from whyrec.evaluation.verification.vocabulary import Vocabulary

__all__ = ["Vocabulary", "evidence_of", "verify_explanation"]
