"""The corpus of explanations with known truth: its form and its split."""

import gzip
import importlib
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(ROOT))
CORPUS = importlib.import_module("verification_corpus_reader").read_corpus()
KINDS = {
    *("number", "month", "direction", "peak", "attribute", "title", "person", "interest_aspect", "motivation"),
    *("trait", "aspect_score", "comparison"),
}
ENOUGH = 40


def test_there_are_enough_explanations_of_every_method() -> None:
    assert len(CORPUS.records) >= 2000
    by_method = Counter((record["method"], record["part"]) for record in CORPUS.records)
    assert len(by_method) == 8
    assert min(by_method.values()) >= 100


@pytest.mark.parametrize("part", ["development", "held_out"])
def test_every_type_has_enough_true_and_false_claims_in_each_part(part: str) -> None:
    claims = [claim for record in CORPUS.records if record["part"] == part for claim in record["claims"]]
    counts = Counter((claim["kind"], claim["is_true"]) for claim in claims)
    assert {kind for kind, _ in counts} == KINDS
    assert len(counts) == 2 * len(KINDS)
    assert min(counts.values()) >= ENOUGH


def test_spans_lie_in_their_texts_and_do_not_overlap() -> None:
    for record in CORPUS.records:
        end = 0
        for claim in record["claims"]:
            assert end <= claim["start"] < claim["end"] <= len(record["text"])
            said = record["text"][claim["start"] : claim["end"]]
            assert said.strip(), record["id"]
            end = claim["end"]


def test_no_markup_of_the_frames_is_left() -> None:
    assert [record["text"] for record in CORPUS.records if set(record["text"]) & set("{}|<>")] == []


def test_ids_and_texts_are_unique_enough() -> None:
    assert len({record["id"] for record in CORPUS.records}) == len(CORPUS.records)
    assert len({record["text"] for record in CORPUS.records}) > 0.95 * len(CORPUS.records)


def test_no_voice_and_no_frame_is_in_both_parts() -> None:
    parts: dict[str, set[str]] = {}
    for record in CORPUS.records:
        for name in (record["voice"], *(claim["frame"] for claim in record["claims"])):
            parts.setdefault(name, set()).add(record["part"])
    assert {name for name, of in parts.items() if len(of) > 1} == set()


def test_half_of_the_explanations_are_true_and_the_others_hold_one_falsehood() -> None:
    false = Counter(sum(not claim["is_true"] for claim in record["claims"]) for record in CORPUS.records)
    assert false == {0: len(CORPUS.records) // 2, 1: len(CORPUS.records) // 2}


def test_people_of_a_history_are_in_the_catalogue() -> None:
    assert {it for history in CORPUS.log.values() for it in history} <= set(CORPUS.catalogue)


@pytest.mark.slow
def test_the_builder_makes_the_committed_corpus(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "verification_corpus"))
    built = tmp_path / "corpus.jsonl.gz"
    assert importlib.import_module("build_corpus").main(["--out", str(built)]) == 0
    committed = ROOT / "verification_corpus" / "corpus.jsonl.gz"
    assert gzip.decompress(built.read_bytes()) == gzip.decompress(committed.read_bytes())
