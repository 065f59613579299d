"""The completion cache on a sound file: what goes in comes out, the first answer stays, changes are seen."""

import json
import math
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from whyrec.errors import InvalidDataError, OutputExistsError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, Request, SamplingConfig, key_of
from whyrec.llm.cache import CompletionCache, ModelRates, default_cache_path, open_cache
from whyrec.llm.model import LanguageModel
from whyrec.llm.records import INSERT, Record
from whyrec.llm.scripted import ScriptedBackend
from whyrec.llm.structured import JsonSchema
from whyrec.llm.usage import Price

MODEL = ModelIdentity("local", "tiny", "abc", options={"dtype": "float32"})
SCHEMA = JsonSchema.of({"type": "integer"})


def request_of(text: str, model: ModelIdentity = MODEL) -> Request:
    return Request(model, Prompt.of(text), None, SamplingConfig())


def answer_of(text: str) -> Answer:
    return Answer(text, "stop", prompt_tokens=3, completion_tokens=len(text), seconds=0.25)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[CompletionCache]:
    with open_cache(tmp_path / "deep" / "completions.sqlite") as opened:
        yield opened


def keep(cache: CompletionCache, question: str, answer: str) -> Answer:
    return cache.keep(request_of(question), answer_of(answer), failure=None, cost=None)


def keep_many(cache: CompletionCache, pairs: Iterable[tuple[str, str]]) -> None:
    """As ``keep``, in one transaction: the disk is asked to be sure once."""
    records = [Record.of(request_of(q), answer_of(a), failure=None, cost=None) for q, a in pairs]
    with sqlite3.connect(cache.path) as connection:
        connection.executemany(INSERT, [record.row() for record in records])
    connection.close()


def tamper(cache: CompletionCache, statement: str) -> None:
    """Change rows behind the back of the rules, which are put back."""
    with sqlite3.connect(cache.path) as connection:
        rules = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in rules:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, rule in rules:
            connection.execute(rule)
    connection.close()


def problems(cache: CompletionCache) -> list[str]:
    return [problem.problem for problem in cache.verify().problems]


@pytest.mark.parametrize(
    "text", ["plain", "", "line\nbreak\0nul", "Ünï 🎬", "half a pair \ud83d", "x" * 100_000, "'\""]
)
def test_what_is_kept_is_found_whole(cache: CompletionCache, text: str) -> None:
    request = request_of(f"asked: {text}")
    answer = Answer(text, "length", 7, 9, seconds=1 / 3, attempts=4, note=f"note {text}")
    assert cache.keep(request, answer, failure=f"no JSON: {text}", cost=0.1) == answer
    assert cache.find([request.key]) == {request.key: answer}
    assert cache.find(["sha256:0"]) == {}
    assert cache.find([]) == {}
    record = next(cache.records())
    assert (record.failure, record.cost, record.request) == (f"no JSON: {text}", 0.1, request.canonical())
    assert problems(cache) == []


def test_the_first_answer_stays_and_everybody_sees_it(cache: CompletionCache) -> None:
    with open_cache(cache.path) as other:
        assert keep(cache, "capital?", "Vienna") == answer_of("Vienna")
        assert keep(other, "capital?", "Graz") == answer_of("Vienna")
    assert cache.count() == 1
    assert problems(cache) == []


def test_many_keys_are_found_at_once(cache: CompletionCache) -> None:
    keys = [request_of(str(n)).key for n in range(1203)]
    keep_many(cache, ((str(n), f"answer {n}") for n in range(0, 1203, 2)))
    found = cache.find(keys)
    assert {key: answer.text for key, answer in found.items()} == {keys[n]: f"answer {n}" for n in range(0, 1203, 2)}


def test_a_second_run_asks_nothing_and_failures_are_kept(cache: CompletionCache) -> None:
    prompts = [Prompt.of("seven"), Prompt.of("none")]
    price = Price(input_per_million=1.0, output_per_million=2.0)
    first = LanguageModel(ScriptedBackend(["7", "no"]), cache=cache, price=price)
    texts = [completion.text for completion in first.complete(prompts, schema=SCHEMA)]
    with open_cache(cache.path) as other:
        again = LanguageModel(ScriptedBackend([]), cache=other).complete(prompts, schema=SCHEMA)
    assert [completion.text for completion in again] == texts == ["7", "no"]
    assert [completion.cached for completion in again] == [True, True]
    model = cache.statistics()[0]
    assert (model.answers, model.failed, model.unpriced) == (2, 1, 0)
    assert model.cost == pytest.approx(2 * (1 + 2) / 1e6)


def test_rows_are_never_changed_or_removed(cache: CompletionCache) -> None:
    keep(cache, "capital?", "Vienna")
    row = next(cache.records())
    connection = sqlite3.connect(cache.path)
    with pytest.raises(sqlite3.IntegrityError, match="answers are never changed"):
        connection.execute("UPDATE completions SET text = 'Graz'")
    with pytest.raises(sqlite3.IntegrityError, match="answers are never removed"):
        connection.execute("DELETE FROM completions")
    connection.execute("INSERT OR REPLACE INTO completions SELECT 9, key, created_at, finish, prompt_tokens, "
                       "completion_tokens, seconds, attempts, cost, failure, note, digest, 'Graz', request "
                       "FROM completions")  # fmt: skip
    connection.commit()
    connection.close()
    assert list(cache.records()) == [row]


def test_a_number_that_is_none_is_refused(cache: CompletionCache) -> None:
    with pytest.raises(InvalidDataError, match=r"NOT NULL constraint failed: completions\.seconds"):
        cache.keep(request_of("a"), replace(answer_of("b"), seconds=math.nan), failure=None, cost=None)
    assert cache.count() == 0


def test_rates_and_statistics_tell_models_apart(cache: CompletionCache) -> None:
    adapted = replace(MODEL, adapter="def")
    cache.keep(request_of("a"), Answer("x", "stop", 10, 20, 1.0), failure=None, cost=0.5)
    cache.keep(request_of("b"), Answer("y", "stop", 10, 40, 3.0, attempts=3), failure="bad", cost=None)
    cache.keep(request_of("a", adapted), Answer("z", "stop", 1, 2, 0.5), failure=None, cost=None)
    assert cache.rates(MODEL) == ModelRates(completion_tokens=30.0, seconds=2.0)
    assert cache.rates(adapted) == ModelRates(completion_tokens=2.0, seconds=0.5)
    assert cache.rates(replace(MODEL, revision="other")) is None
    plain, other = cache.statistics()
    assert (plain.backend, plain.model, plain.revision, plain.adapter) == ("local", "tiny", "abc", None)
    assert (plain.answers, plain.failed, plain.retried, plain.unpriced) == (2, 1, 1, 1)
    assert (plain.prompt_tokens, plain.completion_tokens, plain.cost) == (20, 60, 0.5)
    assert plain.first <= plain.last
    assert plain.first.utcoffset() is not None
    assert (other.adapter, other.answers, other.cost) == ("def", 1, None)


def test_rates_go_by_the_last_thousand_answers(cache: CompletionCache) -> None:
    cache.keep(request_of("slow"), Answer("x", "stop", 1, 1_000_000, 1e6), failure=None, cost=None)
    keep_many(cache, ((str(n), "four") for n in range(1000)))
    assert cache.rates(MODEL) == ModelRates(completion_tokens=4.0, seconds=0.25)


def test_an_estimate_goes_by_earlier_answers(cache: CompletionCache) -> None:
    model = LanguageModel(ScriptedBackend(lambda prompt: "two words"), cache=cache)
    prompts = [Prompt.of(str(n)) for n in range(4)]
    model.complete(prompts[:1])
    estimate = model.estimate(prompts)
    assert (estimate.cached, estimate.to_ask, estimate.completion_tokens) == (1, 3, 6)
    assert not estimate.completion_tokens_are_upper_bound


def test_an_export_holds_everything_in_order(cache: CompletionCache, tmp_path: Path) -> None:
    questions = [f"question {n}" for n in range(1100)]
    keep_many(cache, ((question, f"to {question}") for question in questions))
    keep(cache, "broken", "half a pair \ud83d")
    out = tmp_path / "answers.jsonl"
    assert cache.export(out) == 1101
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["request"]["messages"][0][1] for row in rows] == [*questions, "broken"]
    assert [row["text"] for row in rows] == [*(f"to {question}" for question in questions), "half a pair \ud83d"]
    for row in rows:
        canonical = json.dumps(row["request"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert row["key"] == key_of(canonical)
    before = out.read_bytes()
    with pytest.raises(OutputExistsError, match="found an existing one"):
        cache.export(out)
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE completions SET text = 'Graz' WHERE id = 2", "the digest is not the hash of the answer"),
        ("UPDATE completions SET cost = 0 WHERE id = 2", "the digest is not the hash of the answer"),
        ("UPDATE completions SET created_at = '2020-01-01' WHERE id = 2", "the digest is not the hash of the answer"),
        ("UPDATE completions SET request = '{}' WHERE id = 2", "the key is not the hash of the request"),
        ("UPDATE completions SET text = x'00ff' WHERE id = 2", "a text is stored as something else"),
        ("UPDATE completions SET text = CAST(x'ff' AS TEXT) WHERE id = 2", "the digest is not the hash of the answer"),
        ("DELETE FROM completions WHERE id = 2", "1 answer before it missing"),
    ],
)
def test_verify_sees_what_was_changed_by_hand(cache: CompletionCache, statement: str, expected: str) -> None:
    for question in ("a", "b", "c"):
        keep(cache, question, "Vienna")
    assert cache.verify().answers == 3
    assert problems(cache) == []
    tamper(cache, statement)
    assert problems(cache) == [expected]
    where = cache.verify().problems[0].where
    assert where.startswith("answer 3, sha256:" if "DELETE" in statement else "answer 2, sha256:")


def test_verify_misses_a_rule_that_was_dropped(cache: CompletionCache) -> None:
    with sqlite3.connect(cache.path) as connection:
        connection.execute("DROP TRIGGER no_delete")
    connection.close()
    assert len(problems(cache)) == 1
    assert problems(cache)[0].startswith("missing: CREATE TRIGGER no_delete")


def test_a_request_that_is_no_json_is_not_exported(cache: CompletionCache, tmp_path: Path) -> None:
    keep(cache, "a", "b")
    with sqlite3.connect(cache.path) as connection:
        connection.executescript("DROP TRIGGER no_update; DROP INDEX by_model; UPDATE completions SET request = '{';")
    connection.close()
    with pytest.raises(InvalidDataError, match=r"expected the request as JSON, got .* Run: whyrec cache verify\."):
        cache.export(tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_threads_may_share_a_cache_or_open_it_each(tmp_path: Path) -> None:
    path = tmp_path / "completions.sqlite"
    shared = open_cache(path)

    def work(worker: int) -> list[str]:
        cache = shared if worker % 2 else open_cache(path)
        return [keep(cache, str(n), f"by {worker}").text for n in range(40)]

    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(work, range(6)))
    assert shared.count() == 40
    assert all(texts == seen[0] for texts in seen)
    assert problems(shared) == []


FORKED = """
import os, sys
from pathlib import Path
from whyrec.llm.base import Answer, ModelIdentity, Prompt, Request, SamplingConfig
from whyrec.llm.cache import open_cache

def keep(n):
    request = Request(ModelIdentity("local", "tiny", ""), Prompt.of(str(n)), None, SamplingConfig())
    cache.keep(request, Answer("x", "stop", 1, 1, 0.0), failure=None, cost=None)

cache = open_cache(Path(sys.argv[1]))
keep(0)
children = []
for worker in range(4):
    if not (child := os.fork()):
        for n in range(50):
            keep((worker, n))
        cache.close()
        os._exit(0)
    children.append(child)
for n in range(50):
    keep(n + 1)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
print(cache.count(), cache.verify().problems)
"""


def test_a_cache_that_came_through_a_fork_is_opened_anew(tmp_path: Path) -> None:
    run = [sys.executable, "-c", FORKED, str(tmp_path / "completions.sqlite")]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{1 + 5 * 50} ()\n", "")


def test_the_default_place_is_with_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = default_cache_path()
    assert path.name == "completions.sqlite"
    assert "whyrec" in path.parts
    assert path.is_relative_to(tmp_path)


def test_every_answer_is_forced_to_the_disk(cache: CompletionCache) -> None:
    assert cache._file.rows("PRAGMA synchronous") == [(2,)], "FULL: a loss of power must not lose what was paid for"
    assert cache._file.rows("PRAGMA journal_mode") == [("wal",)]
