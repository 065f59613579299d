"""What models cost, from a table that the user keeps. None is shipped: it would be out of date, and believed.

[models."gpt-4.1-mini"]
input_per_million = 0.40
output_per_million = 1.60
currency = "USD"
"""

from pathlib import Path

from pydantic import ConfigDict, Field

from whyrec.errors import InvalidConfigError
from whyrec.llm.usage import Price
from whyrec.runtime.config import read_toml, validated
from whyrec.runtime.strict_model import StrictModel

_FORM = '[models."NAME"] with input_per_million and output_per_million'


class _Entry(StrictModel):
    """One model of the table."""

    model_config = ConfigDict(strict=True)

    input_per_million: float = Field(ge=0)
    output_per_million: float = Field(ge=0)
    currency: str = Field(default="USD", min_length=1)


def read_prices(path: Path) -> dict[str, Price]:
    """Read a price table.

    Returns:
        Prices by the name of the model, as the server knows it.

    Raises:
        InvalidConfigError: If the file cannot be read or is no price table; the message says where.
    """
    table = read_toml(path)
    models = table.pop("models", None)
    if not isinstance(models, dict) or not models:
        raise InvalidConfigError(f"{path}: expected prices as {_FORM}, got none. Add a model.")
    if table:
        raise InvalidConfigError(f"{path}: expected only {_FORM}, got {next(iter(table))!r} too. Remove it.")
    return {name: _price(entry, where=f"{path}, model {name!r}", name=name) for name, entry in models.items()}


def _price(entry: object, *, where: str, name: str) -> Price:
    if not isinstance(entry, dict):
        raise InvalidConfigError(f"{where}: expected prices as {_FORM}, got {entry!r}. Write it so.")
    inner = next((key for key, value in entry.items() if isinstance(value, dict)), None)
    if inner is not None:
        raise InvalidConfigError(
            f"{where}: expected prices, got another table {inner!r}. Put quotes around a name with a dot: "
            f'[models."{name}.{inner}"].'
        )
    found = validated(_Entry, entry, where=where)
    return Price(found.input_per_million, found.output_per_million, found.currency)
