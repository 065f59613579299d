"""Settings from a TOML file and from ``key=value`` words, checked against the model that declares them."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from whyrec.errors import InvalidConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)


def read_toml(path: Path) -> dict[str, object]:
    """Read settings from a TOML file.

    Raises:
        InvalidConfigError: If it cannot be read or is no TOML; the message names file and line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfigError(
            f"{path}: expected a TOML file, got none that can be read ({error.strerror}). Check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfigError(
            f"{path}: expected TOML such as 'rounds = 200', got something else: {error}. Correct it."
        ) from error


def parse_settings(words: Sequence[str], *, flag: str = "--set") -> dict[str, object]:
    """Read ``key=value`` words; a value is TOML where it parses as such, else the text itself.

    Raises:
        InvalidConfigError: If a word has no ``=``, or a key stands twice.
    """
    settings: dict[str, object] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not (key and sign):
            raise InvalidConfigError(f"{flag}: expected key=value, got {word!r}. Write it so, such as rounds=200.")
        if key in settings:
            raise InvalidConfigError(f"{flag}: expected {key!r} once, got it twice. Keep one.")
        settings[key] = _value(value)
    return settings


def layered(*layers: Mapping[str, object]) -> dict[str, object]:
    """Lay settings over one another, key by key; the later wins.

    A key with dots names a setting inside another: ``training.epochs`` is ``epochs`` in the table ``training``.
    """
    flat: dict[str, object] = {}
    for layer in layers:
        flat |= _flat(layer)
    settings: dict[str, object] = {}
    for key, value in flat.items():
        *path, name = key.split(".")
        place = settings
        for part in path:
            inner = place.get(part)
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[name] = value
    return settings


def validated(
    model: type[ModelT], settings: Mapping[str, object], *, where: str, fixed: Collection[str] = ()
) -> ModelT:
    """Build a settings model.

    Args:
        model: The model.
        settings: By field name.
        where: Whose settings, for messages.
        fixed: Fields that may not be named by anybody; messages do not offer them.

    Raises:
        InvalidConfigError: If a setting is unknown (the message lists the valid ones), of the wrong type or out of
            range.
    """
    valid = [name for name in model.model_fields if name not in fixed]
    for name in settings:
        if name not in valid:
            raise InvalidConfigError(f"{where}: expected one of {', '.join(valid)}, got {name!r}. Choose one of these.")
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        # A validator's own message already says what came.
        raise InvalidConfigError(
            f"{where}, {name}: {first['msg'].removeprefix('Value error, ')}, got {first['input']!r}. Correct it."
        ) from error


def _flat(settings: Mapping[str, object], *, within: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in settings.items():
        found |= _flat(value, within=f"{within}{name}.") if isinstance(value, dict) else {f"{within}{name}": value}
    return found


def _value(text: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    # A text with a line break could smuggle in a second key; it is then only a text.
    return parsed["value"] if len(parsed) == 1 else text
