"""Characters that nobody sees: with them a text reads otherwise than it is checked, so it does not hold."""

from whyrec.data.visible_text import unseen
from whyrec.interfaces import Claim


def hidden_claims(text: str) -> list[Claim]:
    """Find zero-width characters, direction controls and control characters.

    Args:
        text: As a writer wrote it.

    Returns:
        One unsupported claim of kind ``hidden`` for each; none for a text that is what it looks like.
    """
    return [
        Claim("hidden", text[start:end], start, end, False, (), f"the unseen character U+{ord(text[start]):04X}")
        for start, end in unseen(text)
    ]
