"""Comparisons of methods, one file per table."""
