"""A blind study of two runs' explanations: pairs, the page that raters open, and the key that it does not hold."""

from whyrec.serving.study.page import BuiltStudy, build_study
from whyrec.serving.study.pairs import TextPair, choose_pairs

__all__ = ["BuiltStudy", "TextPair", "build_study", "choose_pairs"]
