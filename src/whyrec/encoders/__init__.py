"""Sequence encoders: from a user's items, oldest first, to a vector that scores the next one.

Shared by the methods and the baselines; they see item numbers only, never a dataset.
"""
