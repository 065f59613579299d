"""Claims about the place in the forecast's list that are told in words: "third on our list", "it tops the ranking"."""

from collections.abc import Iterator

from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.number_words import ORDINALS, RANK_IN_WORDS, TOPS_LIST
from whyrec.interfaces import Claim


def rank_claims(passage: Passage) -> Iterator[Claim]:
    """Check ranks that are spelled out; those in digits are numbers like any other."""
    rank = passage.known.forecast.rank
    problem = f"rank: {rank}"
    for hit in RANK_IN_WORDS.finditer(passage.text, passage.clause.start, passage.clause.end):
        group = next(name for name in "abc" if hit[name])
        holds = ORDINALS[hit[group]] == rank
        yield Claim("number", hit[group], hit.start(group), hit.end(group), holds, ("rank",), "" if holds else problem)
    for hit in TOPS_LIST.finditer(passage.text, passage.clause.start, passage.clause.end):
        yield Claim("number", hit[0], hit.start(), hit.end(), rank == 1, ("rank",), "" if rank == 1 else problem)
