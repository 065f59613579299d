"""What may be a key of a stored row."""

from whyrec.errors import InvalidDataError
from whyrec.serving.store.database import is_storable
from whyrec.serving.store.schema import LONGEST_KEY


def required_key(key: str, *, where: str) -> str:
    """Give back a key that both databases can hold.

    Raises:
        InvalidDataError: If it is empty, too long, or holds what is no text.
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise InvalidDataError(f"{where}: expected 1 to {LONGEST_KEY} characters, got {len(key)}. Choose another.")
    if not is_storable(key):
        raise InvalidDataError(f"{where}: expected text without a zero character, got {key!r}. Leave it out.")
    return key
