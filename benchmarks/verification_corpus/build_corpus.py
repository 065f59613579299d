"""Build the corpus of explanations with known truth: ``python benchmarks/verification_corpus/build_corpus.py``.

Draws facts from the bundled data, fills hand-written frames, plants falsehoods, and writes ``corpus.jsonl.gz``: one
line on the catalogue, then one line per explanation with its text, its claims and all facts it is checked against.
The same seed gives the same bytes.
"""

import argparse
import gzip
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import corpus_film_facts  # noqa: F401  (registers its makers)
import corpus_history_facts  # noqa: F401
import corpus_trail_facts  # noqa: F401
import corpus_trail_shapes  # noqa: F401
from corpus_facts import MAKERS, Case
from corpus_frames import Frame, Voice, fill, read_voices, subject
from corpus_motive_facts import levels_of, motivations_of
from corpus_world import draw_world

CORPUS = Path(__file__).with_name("corpus.jsonl.gz")
VERSION = 1
KINDS = (
    "number",
    "month",
    "direction",
    "peak",
    "attribute",
    "title",
    "person",
    "interest_aspect",
    "motivation",
    "trait",
    "aspect_score",
    "comparison",
)
_ATTEMPTS = 60


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=3024, help="explanations")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--out", type=Path, default=CORPUS)
    options = parser.parse_args(arguments)
    world = draw_world(options.seed)
    log = {user["user_id"]: user["history"] for user in world["users"]}
    head = {"version": VERSION, "seed": options.seed, "catalogue": list(world["catalogue"].values()), "log": log}
    records = list(explanations(world, n=options.n, seed=options.seed))
    for record in records:
        # The log has it, by user.
        record["facts"].pop("history", None)
    lines = [json.dumps(it, ensure_ascii=False, separators=(",", ":")) for it in (head, *records)]
    # No name and no time in the header of the archive, so that the same corpus is the same file.
    with options.out.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write("\n".join(lines).encode())
    print(f"{options.out}: {len(records)} explanations, {sum(len(it['claims']) for it in records)} claims")
    return 0


def explanations(world: dict[str, Any], *, n: int, seed: int) -> Iterator[dict[str, Any]]:
    """Go round the voices, methods and kinds; every other explanation has a falsehood of the kind whose turn it is."""
    rng = random.Random(seed)
    plans = [(voice, kind) for kind in KINDS for voice in read_voices()]
    for made in range(n):
        voice, kind = plans[(made // 2) % len(plans)]
        frames = _by_kind(voice)
        method = rng.choice([key[0] for key in frames if key[1] == kind])
        record = _explanation(world, voice, frames, method=method, kind=kind, true=made % 2 == 0, rng=rng)
        yield {"id": f"{made:04d}", **record}


def _by_kind(voice: Voice) -> dict[tuple[str, str], list[Frame]]:
    found: defaultdict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in voice.frames:
        found[frame.method, frame.kind].append(frame)
    return dict(found)


def _explanation(
    world: dict[str, Any],
    voice: Voice,
    frames: dict[tuple[str, str], list[Frame]],
    *,
    method: str,
    kind: str,
    true: bool,
    rng: random.Random,
) -> dict[str, Any]:
    """One to four sentences of a voice about one case; one of the kind wanted, false unless ``true``."""
    for _ in range(_ATTEMPTS):
        case = Case(method, draw_facts(world, method, rng), world["catalogue"], world["averages"], voice, rng)
        others = [key for key in frames if key[0] == method and key[1] != kind]
        beside = rng.sample(others, min(len(others), rng.choice((0, 1, 1, 2, 2, 3))))
        wanted = [((method, kind), true), *((key, True) for key in beside)]
        rng.shuffle(wanted)
        told = _tell(case, [(rng.choice(frames[key]), is_true) for key, is_true in wanted])
        if told is not None:
            return {"part": voice.part, "voice": voice.name, "method": method, **told, "facts": case.facts}
    raise RuntimeError(f"{voice.name}: no {method} case has facts for a {kind} claim. Add frames on other facts.")


def draw_facts(world: dict[str, Any], method: str, rng: random.Random) -> dict[str, Any]:
    """The facts that an explanation of this method is about."""
    facts = dict(rng.choice(world["films" if method == "trail" else "users"]))
    if method == "mllm3rec":
        facts["motivations"] = motivations_of(rng)
    if method == "guided":
        facts["levels"] = levels_of(rng)
    return facts


def _tell(case: Case, wanted: Sequence[tuple[Frame, bool]]) -> dict[str, Any] | None:
    text, claims, is_named = "", [], False
    quoted = case.quote(case.catalogue[case.facts["item_id"]]["title"])
    for frame, is_true in wanted:
        fact = MAKERS[frame.fact](case, is_true)
        if fact is None:
            return None
        it = subject(case.rng, quoted=quoted, is_first=not is_named)
        is_named = is_named or "{it}" in frame.text
        slots = {**fact.slots, "it": it}
        said, start, end = fill(frame.text, slots, affirmative=fact.affirmative)
        offset = len(text) + bool(text)
        text = f"{text} {said}" if text else said
        claim = {"start": offset + start, "end": offset + end, "kind": frame.kind, "is_true": is_true}
        claims.append({**claim, "evidence": fact.evidence, "frame": frame.id, "fact": frame.fact, "says": fact.says})
    return {"text": text, "claims": claims}


if __name__ == "__main__":
    sys.exit(main())
