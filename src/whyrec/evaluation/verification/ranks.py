"""Claims about the place in the forecast's list that are told in words: "third on our list", "it tops the ranking"."""

from collections.abc import Iterator

from whyrec.evaluation.verification.comparisons import Passage
from whyrec.evaluation.verification.lexicon import SMALL_NUMBERS
from whyrec.evaluation.verification.number_words import ORDINALS, RANK_HINT, RANK_IN_WORDS, RANKED_ABOVE, TOPS_LIST
from whyrec.interfaces import Claim


def rank_claims(passage: Passage) -> Iterator[Claim]:
    """Check ranks that are spelled out; those in digits are numbers like any other."""
    hints = list(RANK_HINT.finditer(passage.words))
    if not hints:
        return
    rank = passage.known.forecast.rank
    problem = f"rank: {rank}"
    has_ordinal = any(hint["ordinal"] for hint in hints)
    for hit in RANK_IN_WORDS.finditer(passage.text, passage.clause.start, passage.clause.end) if has_ordinal else ():
        group = next(name for name in "abc" if hit[name])
        if hit[group] == "first" and hit[0].startswith("com"):
            continue
        holds = ORDINALS[hit[group]] == rank
        yield Claim("number", hit[group], hit.start(group), hit.end(group), holds, ("rank",), "" if holds else problem)
    for hit in RANKED_ABOVE.finditer(passage.text, passage.clause.start, passage.clause.end):
        above = int(hit["n"]) if hit["n"].isdigit() else SMALL_NUMBERS[hit["n"]]
        holds = above + 1 == rank
        yield Claim("number", hit[0], hit.start(), hit.end(), holds, ("rank",), "" if holds else problem)
    for hit in TOPS_LIST.finditer(passage.text, passage.clause.start, passage.clause.end):
        yield Claim("number", hit[0], hit.start(), hit.end(), rank == 1, ("rank",), "" if rank == 1 else problem)
