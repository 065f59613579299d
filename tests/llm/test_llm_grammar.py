import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import xgrammar
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.grammar import Grammars
from whyrec.llm.grammar_patterns import safe_pattern
from whyrec.llm.local import LocalBackend
from whyrec.llm.structured import JsonSchema, OutputSchema, Regex, bounded_text, failure_of

ASPECTS = "story acting music humour pace images ending originality tension dialogue effects mood".split()  # noqa: SIM905


def record(**fields: object) -> dict[str, object]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


TEXT = bounded_text(shortest=1, longest=60)
FORECAST = JsonSchema.of(
    record(
        popularity={"type": "integer", "minimum": 0, "maximum": 99999},
        explanation=record(trend=TEXT, feature=TEXT, integration=TEXT),
    )
)
SCORES = Regex("\n".join(f"{aspect}: ([1-9]|10)" for aspect in ASPECTS))
TIER = {"type": "integer", "minimum": 0, "maximum": 3}


@pytest.fixture(scope="module")
def untrained(other_model_dir: Path) -> LocalBackend:
    """Random weights: whatever a schema allows, this model will say sooner or later."""
    return LocalBackend.open(other_model_dir)


def ends(backend: LocalBackend, schema: OutputSchema, *, n: int, max_tokens: int, seed: int = 0) -> Counter[str]:
    """How often answers obey (``ok``), are cut, or fail; sampled at temperature 1."""
    sampling = SamplingConfig(temperature=1.0, max_tokens=max_tokens, seed=seed)
    found: Counter[str] = Counter()
    for _, answer in backend.answer(Prompt.of("Alien (1979)").samples(n), schema=schema, sampling=sampling):
        _, failure = failure_of(schema, answer.text, finish=answer.finish)
        found["ok" if failure is None else "cut" if answer.finish == "length" else failure] += 1
    return found


@pytest.mark.parametrize(("schema", "max_tokens"), [(FORECAST, 800), (SCORES, 150)], ids=["forecast", "scores"])
def test_every_sample_of_an_untrained_model_parses_strictly(
    untrained: LocalBackend, schema: OutputSchema, max_tokens: int
) -> None:
    assert ends(untrained, schema, n=100, max_tokens=max_tokens) == {"ok": 100}


FORCED: dict[str, Any] = {
    "lengths without a pattern": {"type": "string", "minLength": 2, "maxLength": 6},
    "any character": {"type": "string", "pattern": "^.{1,12}$"},
    "printable characters, with quote and backslash among them": {"type": "string", "pattern": "^[ -~]{1,12}$"},
    "all but one character": {"type": "string", "pattern": "[^a]{1,12}"},
    "a number in bounds": {"type": "number", "minimum": 0, "maximum": 10},
    "a list": {"type": "array", "items": TIER, "minItems": 1, "maxItems": 3},
    "a fixed list": {"type": "array", "prefixItems": [TIER, {"type": "boolean"}], "items": False, "minItems": 2},
    "a choice": {"enum": ["a", 1, None, 'x"y']},
    "alternatives": {"anyOf": [TIER, {"type": "null"}]},
    "a reference": {"$defs": {"tier": TIER}, **record(a={"$ref": "#/$defs/tier"})},
    "what may be absent": {"type": "object", "properties": {"a": TIER, "b": TIER}, "additionalProperties": False},
    "names with quotes": record(**{'a"b': TIER, "é": TIER}),
    "a field called pattern": record(pattern=TIER, maxLength=TIER),
}


@pytest.mark.parametrize("name", FORCED)
def test_what_a_schema_says_is_forced(untrained: LocalBackend, name: str) -> None:
    assert ends(untrained, JsonSchema.of(FORCED[name]), n=60, max_tokens=80) == {"ok": 60}


NOT_FORCED: dict[str, Any] = {
    "uniqueItems": {"type": "array", "items": TIER, "uniqueItems": True},
    "contains": {"type": "array", "contains": TIER},
    "not": {"not": {"const": 2}},
    "if": {"if": {"const": 2}, "then": {"const": 2}},
    "patternProperties": {"type": "object", "patternProperties": {"^a$": TIER}},
    "maxLength": {"type": ["string", "null"], "maxLength": 4},
    "allOf of several schemas": {"allOf": [TIER, {"maximum": 2}]},
    r"\$ref with maximum beside it": {"$defs": {"t": TIER}, "$ref": "#/$defs/t", "maximum": 2},
    "anyOf with properties beside it": {"anyOf": [record(a=TIER)], "properties": {"b": TIER}},
    "required 'z' that is not among its properties": {**record(a=TIER), "required": ["a", "z"]},
}


@pytest.mark.parametrize("part", NOT_FORCED)
def test_what_cannot_be_forced_is_refused_by_name(untrained: LocalBackend, part: str) -> None:
    for schema in (NOT_FORCED[part], record(inner=NOT_FORCED[part])):
        with pytest.raises(InvalidConfigError, match=f"^schema: expected .* made to obey, got {part}\\. Say"):
            ends(untrained, JsonSchema.of(schema), n=1, max_tokens=9)


def test_a_text_with_a_lower_limit_only_is_refused(untrained: LocalBackend) -> None:
    with pytest.raises(InvalidConfigError, match="expected maxLength beside minLength 3"):
        ends(untrained, JsonSchema.of({"type": "string", "minLength": 3}), n=1, max_tokens=9)


def test_what_the_compiler_refuses_is_told_in_one_line(untrained: LocalBackend) -> None:
    impossible = JsonSchema.of({"type": "integer", "minimum": 5, "maximum": 3}, name="rating")
    with pytest.raises(InvalidConfigError, match=r"^schema 'rating': expected one that a model can .* Simplify it\.$"):
        ends(untrained, impossible, n=1, max_tokens=9)


def test_an_answer_that_is_cut_is_told_so(untrained: LocalBackend) -> None:
    assert ends(untrained, FORECAST, n=5, max_tokens=12) == {"cut": 5}


def test_a_forced_answer_is_the_same_in_a_batch_and_alone(untrained: LocalBackend) -> None:
    prompts = [Prompt.of(title) for title in ("Alien", "Vertigo", "The Third Man", "M")]
    sampling = SamplingConfig(temperature=1.0, max_tokens=150, seed=5)
    together = dict(untrained.answer(prompts, schema=SCORES, sampling=sampling))
    for position, prompt in enumerate(prompts):
        assert dict(untrained.answer([prompt], schema=SCORES, sampling=sampling))[0].text == together[position].text
    assert len({answer.text for answer in together.values()}) == 4


def test_greedy_answers_of_a_trained_model_obey_too(tiny_backend: LocalBackend) -> None:
    prompts = [Prompt.of("Alien"), Prompt.of("Vertigo")]
    found = dict(tiny_backend.answer(prompts, schema=FORECAST, sampling=SamplingConfig(max_tokens=800)))
    assert [failure_of(FORECAST, answer.text, finish=answer.finish)[1] for answer in found.values()] == [None, None]


def test_where_the_tokenizer_cannot_write_what_is_wanted_the_row_ends_with_a_note(
    tiny_backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "whyrec.llm.grammar.TokenMasks.accept", lambda _self, matchers, _tokens: [False] * len(matchers)
    )
    answer = dict(tiny_backend.answer([Prompt.of("Alien")], schema=SCORES, sampling=SamplingConfig(max_tokens=9)))[0]
    assert (answer.text, answer.finish) == ("", "stop")
    assert answer.note == "the tokenizer cannot write what the schema wants next"


PATTERNS = [
    "a.c", "^abc$", "^a|b$", r"\d+", r"\w{1,3}", r"\s", r"\S", "(?P<x>a)b", "(?:a|b){2}", "a{,2}b", "a*?b", "a{x",
    "[^a]", r"\u00e9", r"a\$", r"a\\$", r"\.", r"[\]a]", "[]a]", "[^]a]", "[a-]", r"[\w.-]+", "[😀-😂]x", r"\U0001F600",
    r"\x41", r"[\s\S]", "[ -~]{2}", "(a|)b", "", "[^\\u0000-\\u001f]{1,2}", r"[\n\t]", r"\-\+",
]  # fmt: skip
TEXTS = [
    "abc", "a\nc", "aéc", "ac", "ab", "a", "b", "1", "٣", "é", "a_1", "\t", " ", "\xa0", "aab", "aa", "bb", "\n", "a$",
    "a\\", ".", "]", "-", "x", "a{x", "😀x", "😁x", "😀", '"', "\\", "A", "", "-+", "~ ", "\x85", "\x00", "\uffff",
]  # fmt: skip


@pytest.fixture(scope="module")
def compiler(tiny_backend: LocalBackend) -> Any:
    return xgrammar.GrammarCompiler(xgrammar.TokenizerInfo.from_huggingface(tiny_backend.tokenizer, vocab_size=1088))


def matches(compiler: Any, pattern: str, text: str | bytes) -> bool:
    matcher = xgrammar.GrammarMatcher(compiler.compile_regex(pattern))
    return bool(matcher.accept_string(text) and matcher.is_completed())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_the_decoder_lets_through_python_matches(compiler: Any, pattern: str) -> None:
    safe = safe_pattern(pattern, in_json=False)
    # Shorthands such as \d are narrower: digits and letters of other scripts are never written.
    is_narrower = re.search(r"\\[dws]", pattern) is not None
    for text in TEXTS:
        by_python, by_decoder = re.fullmatch(pattern, text) is not None, matches(compiler, safe, text)
        assert by_decoder == by_python or (is_narrower and not text.isascii() and not by_decoder)


@given(st.text(st.characters(codec="utf-8"), max_size=3))
def test_a_class_that_excludes_takes_all_else(compiler: Any, text: str) -> None:
    safe = safe_pattern("[^abc]{0,3}", in_json=False)
    assert matches(compiler, safe, text) == (re.fullmatch("[^abc]{0,3}", text) is not None)
    in_json = safe_pattern("[^abc]{0,3}", in_json=True)
    assert matches(compiler, in_json, text) == (re.fullmatch(r'[^abc"\\\x00-\x1f]{0,3}', text) is not None)


def test_half_a_surrogate_pair_is_no_character(compiler: Any) -> None:
    assert matches(compiler, "[^a]", b"\xed\xa0\x80")  # what xgrammar would let through by itself
    assert not matches(compiler, safe_pattern("[^a]", in_json=False), b"\xed\xa0\x80")


@pytest.mark.parametrize(
    ("pattern", "part"),
    [("a^b", "'^'"), ("a$b", "'$'"), (r"\bfoo", r"'\\b'"), ("(?=a)a", "'(?='"), ("(?i)a", "'(?i'"),
     (r"(a)\1", r"'\\1'"), (r"\Aa", r"'\\A'"), (r"\D", r"'\\D'"), ("(a", "missing )")],
)  # fmt: skip
def test_patterns_that_cannot_be_kept_are_refused(pattern: str, part: str) -> None:
    with pytest.raises(InvalidConfigError, match=f"pattern .*: expected .*, got .*{re.escape(part)}"):
        safe_pattern(pattern, in_json=False)


def test_a_quote_in_a_json_text_is_refused_outside_json_it_is_not() -> None:
    assert safe_pattern('a"', in_json=False) == r"a\u0022"
    with pytest.raises(InvalidConfigError, match="got '\"' in it"):
        safe_pattern('a"', in_json=True)


def test_a_schema_is_compiled_once(tiny_backend: LocalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    grammars = Grammars(tiny_backend.tokenizer, n_logits=1088, stop_tokens=[1])
    first = grammars.matcher(SCORES)
    monkeypatch.setattr(Grammars, "_compile", None)
    second = grammars.matcher(Regex(SCORES.pattern))
    assert first is not second
    assert first.accept_string("story: 1")
    assert second.accept_string("story: 9")
