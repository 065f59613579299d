"""The two texts that CURec ranks and explains with, whoever wrote them (CURec §4.2)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a user is interested in, as written from the first ``n_items`` of their history (p_u)."""

    user_id: str
    n_items: int
    """Length of the prefix that it rests on."""
    until: datetime
    """Time of the last interaction of that prefix: whoever asks for a moment t may read it only if this is before t."""
    text: str
    writer: str
    """Model name, revision and adapter; or ``offline``."""
    version: int = 0
    """Which pass wrote it: 0 is the first, higher ones come from corrections."""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a user took an item, as written from what was known before (q_ui)."""

    item_id: str
    user_id: str
    timestamp: datetime
    """Of the interaction that it explains: it may be read only strictly after."""
    text: str
    writer: str
    version: int = 0
    verified: bool = False
