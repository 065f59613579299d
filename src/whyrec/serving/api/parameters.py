"""What a request may ask: read from path and query, once for each different query string.

FastAPI would read the parameters of each request anew, which takes longer than everything else of an answer. Here a
query string is read by its pydantic model once and remembered, and the same model makes the OpenAPI document.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, unquote

from fastapi import Request
from pydantic import Field, StringConstraints, ValidationError

from whyrec.runtime.strict_model import StrictModel
from whyrec.serving.api.errors import ApiError, invalid, shown
from whyrec.serving.documents import NEXT

LONGEST_ID = 200
LARGEST_K = 100
LARGEST_OFFSET = 100_000
_REMEMBERED = 4096
_NO_NUL = r"^[^\x00]*$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=_NO_NUL)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=_NO_NUL)]
AttributeFilter = Annotated[str, StringConstraints(max_length=LONGEST_ID, pattern=r"^[^\x00:]+:[^\x00]+$")]

ParametersT = TypeVar("ParametersT", bound="Parameters")
_lists: dict[type["Parameters"], frozenset[str]] = {}


class Parameters(StrictModel):
    """Base of all: closed, so that a misspelt name is told and not ignored."""


class Nothing(Parameters):
    """No parameters."""


class Paging(Parameters):
    """Which places of a list."""

    k: int = Field(default=10, ge=1, le=LARGEST_K)
    """How many."""
    offset: int = Field(default=0, ge=0, le=LARGEST_OFFSET)
    """How many are left out before them."""


class Filters(Paging):
    """Places of a list, less some."""

    attribute: tuple[AttributeFilter, ...] = Field(default=(), max_length=20, examples=[["genres:Comedy"]])
    """Only items that have it, as ``name:value``. Repeatable: of one name any value will do, every name must be met."""
    exclude: tuple[Id, ...] = Field(default=(), max_length=100)
    """An item_id that is left out. Repeatable."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is filtered."""
        return not (self.attribute or self.exclude)

    def wanted(self) -> Mapping[str, set[str]]:
        """By attribute, the values of which one is wanted."""
        values: dict[str, set[str]] = {}
        for text in self.attribute:
            name, _, value = text.partition(":")
            values.setdefault(name, set()).add(value)
        return values


class TrendingQuery(Filters):
    """What is asked of a board."""

    window: Short = Field(default=NEXT, examples=[NEXT])
    """``next`` for the coming window as forecast, or ``7d``, ``30d``: see the windows of /v1/version."""


class ListQuery(Filters):
    """What is asked of a user's list."""

    method: Short | None = Field(default=None, json_schema_extra={"example": "curec"})
    """Of which recommender; by default the first that has a list for the user."""


class MethodQuery(Parameters):
    """Whose explanation."""

    method: Short | None = None
    """Of which method; by default the first that has one."""


class SearchQuery(Parameters):
    """What is searched for."""

    q: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=_NO_NUL)] = Field(
        examples=["gravity"]
    )
    """Words of a title, or how they begin."""
    k: int = Field(default=20, ge=1, le=LARGEST_K)
    """How many titles."""
    offset: int = Field(default=0, ge=0, le=LARGEST_OFFSET)
    """How many are left out before them."""


class WhatIfQuery(Parameters):
    """More or less of one aspect."""

    aspect: Short = Field(examples=["tension"])
    """Its key: see /v1/aspects."""
    amount: float = Field(ge=-10, le=10, examples=[-0.5])
    """How much more; at 1, items one deviation above the mean gain one deviation of the user's scores."""
    k: int = Field(default=10, ge=1, le=LARGEST_K)
    """How many items."""


def query_of(request: Request, model: type[ParametersT]) -> ParametersT:
    """Read the query string.

    Raises:
        ApiError: 422 if it breaks the model.
    """
    return _read(model, request.scope["query_string"])  # type: ignore[return-value]  # lru_cache keeps no type variable


@lru_cache(maxsize=_REMEMBERED)
def _read(model: type[Parameters], query: bytes) -> Parameters:
    repeatable = _repeatable(model)
    values: dict[str, Any] = {}  # a word, or the words of a repeatable parameter
    for name, value in parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"):
        if name in repeatable:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise ApiError(422, f"parameter {name!a}: expected it once, got it twice. Keep one.")
        else:
            values[name] = value
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False), where="parameter") from None


def _repeatable(model: type[Parameters]) -> frozenset[str]:
    if model not in _lists:
        _lists[model] = frozenset(
            name for name, field in model.model_fields.items() if str(field.annotation).startswith("tuple")
        )
    return _lists[model]


def id_of(request: Request, name: str) -> str:
    """Read an id from the path; there it is percent-encoded, so that it may hold a slash.

    Raises:
        ApiError: 422 if it is too long, or cannot be an id.
    """
    text = unquote(request.scope["path_params"][name], errors="replace")
    if len(text) > LONGEST_ID or "\x00" in text:
        message = f"path {name!r}: expected an id of 1 to {LONGEST_ID} characters, got {shown(text)}. Check it."
        raise ApiError(422, message)
    return text


def documented(*path: str, query: type[Parameters] = Nothing) -> list[dict[str, Any]]:
    """Parameters as OpenAPI writes them.

    Args:
        path: Names of ids in the path.
        query: Model of the query string.
    """
    schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": _NO_NUL}
    found: list[dict[str, Any]] = [{"name": name, "in": "path", "required": True, "schema": schema} for name in path]
    whole = query.model_json_schema()
    for name, field in whole.get("properties", {}).items():
        shown = {key: value for key, value in field.items() if key not in ("description", "title")}
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in whole.get("required", ()),
                "description": field.get("description", ""),
                "schema": shown,
            }
        )
    return found


Route = Callable[[Request], Any]  # an endpoint: it takes the request alone
