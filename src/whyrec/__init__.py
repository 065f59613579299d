"""Recommendations that say why: ranked lists whose every entry carries a reason checked against the data."""

__version__ = "0.1.0"

__all__ = ["__version__"]
