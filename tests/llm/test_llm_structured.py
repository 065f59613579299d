import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from whyrec.errors import InvalidConfigError
from whyrec.llm.structured import JsonSchema, Regex, bounded_text, failure_of, without_length_limits

PERSON = JsonSchema.of(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
)


def why(schema: JsonSchema | Regex, text: str, finish: str = "stop") -> str | None:
    return failure_of(schema, text, finish=finish)[1]


def test_an_obeying_answer_is_parsed() -> None:
    assert failure_of(PERSON, '{"name": "Ada", "age": 36}', finish="stop") == ({"name": "Ada", "age": 36}, None)
    assert failure_of(Regex("[1-9]|10"), "10", finish="stop") == ("10", None)
    assert failure_of(None, "anything", finish="stop") == (None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('```json\n{"name": "Ada", "age": 36}\n```', "no JSON: Expecting value at character 0"),
        ('{"name": "Ada", "age": 36} Hope this helps!', "no JSON: Extra data at character 27"),
        ('{"name": "Ada", "age": 36, "age": 37}', "'age' stands twice"),
        ('{"name": "Ada", "age": NaN}', "NaN is not a JSON number"),
        ('{"name": "A\nda", "age": 36}', "no JSON: Invalid control character"),
        ('{"name": "Ada", "age": "36"}', "age: '36' is not of type 'integer'"),
        ('{"name": "Ada", "age": -1}', "age: -1 is less than the minimum of 0"),
        ('{"name": "Ada"}', "the whole answer: 'age' is a required property"),
        ('{"name": "Ada", "age": 36, "x": 1}', "Additional properties"),
        ("[" * 100_000, "no JSON: nested too deeply"),
        ('{"name": "Ada", "age": ' + "9" * 5000 + "}", "no JSON that can be read"),
        ("", "no JSON"),
    ],
)
def test_nothing_is_repaired(text: str, reason: str) -> None:
    value, failure = failure_of(PERSON, text, finish="stop")
    assert value is None
    assert failure is not None
    assert reason in failure


def test_a_regex_must_match_all_of_it() -> None:
    assert why(Regex("[1-9]|10"), "10.") == "does not match [1-9]|10: '10.'"
    assert why(Regex("a+"), "aa\n") is not None
    with pytest.raises(InvalidConfigError, match="expected a pattern, got unterminated character set"):
        Regex("[1-9")


def test_a_cut_answer_says_so() -> None:
    assert (why(PERSON, '{"name": "Ad', finish="length") or "").startswith("cut at max_tokens; no JSON")


def test_a_pydantic_model_is_a_schema() -> None:
    class Verdict(BaseModel):
        score: int
        why: str

    assert JsonSchema.of(Verdict).parse('{"score": 3, "why": "x"}') == {"score": 3, "why": "x"}


def test_no_schema_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="error at type: 'number of stars' is not valid"):
        JsonSchema.of({"type": "number of stars"})
    with pytest.raises(InvalidConfigError, match="expected JSON"):
        JsonSchema.of({"const": {1, 2}})


def test_the_order_of_properties_is_part_of_the_schema() -> None:
    forward, backward = (
        JsonSchema.of({"properties": {name: {"type": "string"} for name in names}}) for names in ("ab", "ba")
    )
    assert forward.canonical() != backward.canonical()


def test_length_limits_become_patterns_everywhere() -> None:
    schema = {
        "properties": {
            "a": {"type": "string", "maxLength": 5},
            "b": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 2}},
            "c": {"type": "string", "maxLength": 5, "pattern": "^x*$"},
            "maxLength": {"type": "integer"},
        },
        "anyOf": [{"required": ["a"]}],
    }
    found = json.loads(json.dumps(without_length_limits(schema)))
    assert found["properties"]["a"] == bounded_text(longest=5)
    assert found["properties"]["b"]["items"] == bounded_text(longest=2, shortest=1)
    assert found["properties"]["c"] == schema["properties"]["c"]
    assert found["properties"]["maxLength"] == {"type": "integer"}
    with pytest.raises(InvalidConfigError, match="expected maxLength beside minLength 3"):
        without_length_limits({"type": "string", "minLength": 3})


@given(st.text(max_size=12))
def test_what_a_bounded_text_admits_is_json_as_it_stands(text: str) -> None:
    pattern = str(bounded_text(longest=10, shortest=1)["pattern"])
    if re.search(pattern, text) and not text.endswith("\n"):
        assert json.loads(f'"{text}"') == text
        assert 1 <= len(text) <= 10
    else:
        assert not 1 <= len(text) <= 10 or re.search(r'[\x00-\x1f\x7f"\\]', text)


def test_instructions_hold_the_schema() -> None:
    assert PERSON.text in PERSON.instruction()
    assert "[1-9]" in Regex("[1-9]").instruction()
