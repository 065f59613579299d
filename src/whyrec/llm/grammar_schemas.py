"""Which JSON Schemas a constrained decoder can really force, brought into the form that it forces exactly.

xgrammar passes over what it does not know, such as ``uniqueItems``, and its answers then break the schema now and
then. Better to hear of it at once: such schemas are refused here.
"""

from collections.abc import Iterator, Mapping

from whyrec.errors import InvalidConfigError
from whyrec.llm.grammar_patterns import safe_pattern
from whyrec.llm.structured import without_length_limits

_NOTES = frozenset({"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated"})
_DEFINITIONS = frozenset({"$defs", "definitions"})
_FORCED = (
    frozenset({"type", "enum", "const", "pattern", "format"})
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"properties", "required", "additionalProperties", "minProperties", "maxProperties"}
    | {"items", "prefixItems", "minItems", "maxItems"}
)
# Alone they are forced; what stands beside them is not.
_ALONE = frozenset({"$ref", "anyOf", "oneOf", "allOf"})
_OTHERS = frozenset({"discriminator"})
# What stands under these keys is an answer, not a schema.
_DATA = frozenset({"const", "default", "enum", "examples", "discriminator"})
_BY_NAME = _DEFINITIONS | {"properties"}


def forcible_schema(schema: object) -> object:
    """The same schema as the decoder should get it: lengths as patterns, patterns in their safe form.

    Raises:
        InvalidConfigError: If a part of it cannot be forced; the message names the part.
    """
    bounded = without_length_limits(schema)
    for part in _parts(bounded):
        _require_forcible(part)
    return _with_safe_patterns(bounded)


def _parts(schema: object) -> Iterator[Mapping[str, object]]:
    """The schema and all schemas in it."""
    if isinstance(schema, Mapping):
        yield schema
        for key, value in schema.items():
            if key in _BY_NAME and isinstance(value, Mapping):
                for part in value.values():
                    yield from _parts(part)
            elif key not in _DATA:
                yield from _parts(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from _parts(part)


def _require_forcible(part: Mapping[str, object]) -> None:
    keys = part.keys() - _NOTES - _DEFINITIONS - _OTHERS
    unknown = sorted(keys - _FORCED - _ALONE)
    if unknown:
        raise _refused(unknown[0])
    alone = sorted(keys & _ALONE)
    if alone and len(keys) > 1:
        raise _refused(f"{alone[0]} with {sorted(keys - {alone[0]})[0]} beside it")
    options = part.get("allOf")
    if isinstance(options, list) and len(options) > 1:
        raise _refused("allOf of several schemas")
    required, properties = part.get("required"), part.get("properties")
    if isinstance(required, list):
        named = properties.keys() if isinstance(properties, Mapping) else ()
        for name in required:
            if name not in named:
                raise _refused(f"required {name!r} that is not among its properties")


def _refused(what: str) -> InvalidConfigError:
    return InvalidConfigError(
        f"schema: expected one that a model can be made to obey, got {what}. Say it otherwise, or check it afterwards."
    )


def _with_safe_patterns(schema: object) -> object:
    if isinstance(schema, Mapping):
        kept = {key: value if key in _DATA else _with_safe_patterns(value) for key, value in schema.items()}
        pattern = kept.get("pattern")
        return kept | {"pattern": safe_pattern(pattern, in_json=True)} if isinstance(pattern, str) else kept
    return [_with_safe_patterns(part) for part in schema] if isinstance(schema, list) else schema
