"""API keys: long random words, of which only hashes are kept.

A key has 256 random bits, so that a plain SHA-256 of it cannot be guessed back; slow hashes are for passwords.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from hmac import compare_digest
from pathlib import Path

from whyrec.errors import InvalidConfigError

PREFIX = "whyrec_"
_HASH = re.compile(r"sha256:([0-9a-f]{64})(\s+#.*)?")


def new_key() -> tuple[str, str]:
    """Make a key.

    Returns:
        The key, to be shown once, and the line of a key file that lets it in.
    """
    key = PREFIX + secrets.token_urlsafe(32)
    return key, f"sha256:{hash_of(key)}"


def hash_of(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def read_key_file(path: Path) -> tuple[str, ...]:
    """Read the hashes of keys: one a line as ``sha256:...``, with comments after ``#``.

    Raises:
        InvalidConfigError: If it cannot be read, holds none, or holds something else, such as the key itself.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfigError(
            f"{path}: expected a file of key hashes, got none that can be read. Make one with whyrec serve --new-key."
        ) from error
    return read_key_lines(lines, where=str(path))


def read_key_lines(lines: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Read hashes as in a key file.

    Raises:
        InvalidConfigError: If a line is something else, or there are none. What stands there is not repeated: it may be
            a key.
    """
    hashes = []
    for number, line in enumerate(lines, start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        found = _HASH.fullmatch(words)
        if found is None:
            raise InvalidConfigError(
                f"{where} line {number}: expected sha256: and 64 hexadecimal digits, got something else. "
                "Put the hash there that whyrec serve --new-key prints, not the key."
            )
        hashes.append(found[1])
    if not hashes:
        raise InvalidConfigError(f"{where}: expected a hash of a key, got none. Make one with whyrec serve --new-key.")
    return tuple(hashes)


class KeyRing:
    """The keys that are let in."""

    def __init__(self, hashes: Sequence[str]) -> None:
        self._hashes = tuple(value.encode("ascii") for value in hashes)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def place_of(self, key: str) -> int | None:
        """Which key it is, counted from 0; None for none. All are compared, each in constant time."""
        digest = hash_of(key).encode("ascii")
        found = None
        for place, known in enumerate(self._hashes):
            if compare_digest(digest, known):
                found = place
        return found
