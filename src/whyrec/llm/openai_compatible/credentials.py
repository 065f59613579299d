"""The API key: the one way in, and how it is kept out of everything that is shown or written.

A key that people can see has leaked, so whatever a server says is blotted before it gets into a message or a record.
"""

import json
import os
from urllib.parse import quote

from pydantic import SecretStr

from whyrec.errors import InvalidConfigError

API_KEY_VARIABLE = "WHYREC_API_KEY"
_BLOT = "[API key]"
_SHORTEST_SECRET = 12


def api_key_from_environment(name: str = API_KEY_VARIABLE) -> SecretStr | None:
    """Read the API key; for a command line, since library classes never read the environment.

    Args:
        name: The variable that holds it.

    Returns:
        The key, or None if the variable is unset or blank: a server of one's own may need none.

    Raises:
        InvalidConfigError: If what it holds cannot be a key.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    key = SecretStr(text)
    require_usable_key(key, where=f"environment variable {name}")
    return key


def require_usable_key(key: SecretStr, *, where: str = "api_key") -> None:
    """Refuse what cannot stand in a request header.

    Raises:
        InvalidConfigError: Without quoting it.
    """
    text = key.get_secret_value()
    if not text or not all("!" <= character <= "~" for character in text):
        raise InvalidConfigError(
            f"{where}: expected an API key of visible ASCII characters, got something else (not shown). "
            "Copy the key again, without spaces and line breaks."
        )


def blotted(text: str, key: SecretStr | None) -> str:
    """The text with every mention of the key blotted out."""
    if key is None:
        return text
    secret = key.get_secret_value()
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], secret.replace("/", "\\/")):
        text = text.replace(form, _BLOT)
    return text


def blotted_record(text: str, key: SecretStr | None) -> str:
    """The same for what is kept, such as an answer; it may hold a short placeholder such as ``none`` by right."""
    if key is None or len(key.get_secret_value()) < _SHORTEST_SECRET:
        return text
    return blotted(text, key)


def quoted(text: str, key: SecretStr | None, *, longest: int = 300) -> str:
    """What a server said, fit for a message: blotted, on one line, not too long."""
    line = " ".join(blotted(text, key).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
