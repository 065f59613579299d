"""Published versions of all that is served, in SQLite or PostgreSQL; interactions taken in; erasure."""

from whyrec.serving.store.intake import TakenIn
from whyrec.serving.store.publication import Publication
from whyrec.serving.store.store import Store

__all__ = ["Publication", "Store", "TakenIn"]
