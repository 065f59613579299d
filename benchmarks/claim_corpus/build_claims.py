"""Write the corpus: explanations in several voices whose every claim is known to be true or false.

    python benchmarks/claim_corpus/build_claims.py [--n 3000] [--seed 9]

The same seed gives the same files. Development and held-out texts share neither voices nor sentences; see README.md.
"""

import argparse
import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from claim_markup import METHODS, Frame, UnfitError, Voice, fill, read_voices
from claim_slots import Sources
from claim_world import CUTOFFS, HERE, WORLD, Case, World, make_world

VERSION = 1
PARTS = ("development", "held_out")
_METHOD_WEIGHTS = (5, 2, 2, 2)
_LENGTHS, _LENGTH_WEIGHTS = (1, 2, 3, 4), (15, 35, 35, 15)
_OF_METHOD = {"trail": (), "curec": (), "mllm3rec": ("motivations", "traits"), "guided": ("levels",)}


def make_part(part: str, *, world: World, n: int, seed: int) -> list[dict[str, Any]]:
    """Half true explanations, half with one false claim, the kinds of falsehood evenly used."""
    rng = random.Random(f"{seed} {part}")
    voices = [voice for voice in read_voices() if voice.part == part]
    planted: Counter[str] = Counter({kind: 0 for voice in voices for _, _, kind, _ in _plants(voice)})
    texts: set[str] = set()
    made: list[dict[str, Any]] = []
    while len(made) < n:
        voice = voices[len(made) % len(voices)]
        kind = min(planted, key=lambda name: (planted[name], rng.random())) if len(made) % 2 else None
        entry = _explanation(voice, kind, world=world, rng=rng)
        if entry is None or entry["text"] in texts:
            continue
        if kind is not None:
            planted[kind] += 1
        texts.add(entry["text"])
        made.append({"id": f"{part[0]}{len(made):04d}"} | entry)
    return made


def _plants(voice: Voice) -> list[tuple[str, Frame, str, str]]:
    return [
        (method, frame, kind, slot)
        for method in METHODS
        for frame in voice.frames[method]
        for kind, slot in frame.claims
    ]


def _explanation(voice: Voice, kind: str | None, *, world: World, rng: random.Random) -> dict[str, Any] | None:
    """Draw a case and frames; None where they do not fit."""
    if kind is None:
        method, planted = rng.choices(METHODS, _METHOD_WEIGHTS)[0], None
    else:
        options = [plant for plant in _plants(voice) if plant[2] == kind]
        if not options:
            return None
        method, *planted = rng.choice(options)
    frames = voice.frames[method]
    chosen = rng.sample(frames, min(len(frames), rng.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]))
    if planted is not None:
        chosen = [planted[0], *(frame for frame in chosen if frame is not planted[0])][: len(chosen)]
        rng.shuffle(chosen)
    case = rng.choice(world.films if method == "trail" else world.users)
    sources = Sources(world, case, rng)
    sentences = []
    for frame in chosen:
        plant = planted[2] if planted is not None and frame is planted[0] else None
        try:
            sentences.append((frame, fill(frame, voice.wording, sources=sources, plant=plant)))
        except UnfitError:
            if plant is not None or frame is chosen[0]:
                return None
    return _joined(sentences, facts=_facts(case, method), method=method, voice=voice)


def _joined(sentences: list[tuple[Frame, Any]], *, facts: dict[str, Any], method: str, voice: Voice) -> dict[str, Any]:
    text, claims = "", []
    for number, (_, sentence) in enumerate(sentences):
        text += " " if text else ""
        for claim in sentence.claims:
            group = None if claim["group"] is None else f"{number}{claim['group']}"
            moved = {"start": claim["start"] + len(text), "end": claim["end"] + len(text), "group": group}
            claims.append(claim | moved)
        text += sentence.text
    frames = [frame.id for frame, _ in sentences]
    return {"method": method, "voice": voice.name, "frames": frames, "text": text, "claims": claims, "facts": facts}


def _facts(case: Case, method: str) -> dict[str, Any]:
    if method == "trail":
        return case
    names = ("item_id", "cutoff", "history", *_OF_METHOD[method])
    return {name: case[name] for name in names}


def write_lines(path: Path, lines: Iterable[Any]) -> None:
    """Write JSON lines, compressed, the same bytes for the same lines."""
    body = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    path.write_bytes(gzip.compress(body.encode(), compresslevel=9, mtime=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=3000, help="explanations, half of them held out")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    world = make_world(options.seed)
    cutoffs = [cutoff.date().isoformat() for cutoff in CUTOFFS]
    head = {"version": VERSION, "seed": options.seed, "cutoffs": cutoffs, "average": world.average}
    head |= {"aspects": WORLD["aspects"], "traits": WORLD["traits"]}
    write_lines(options.out / "catalogue.jsonl.gz", [head, *world.items.values()])
    for part in PARTS:
        entries = make_part(part, world=world, n=options.n // len(PARTS), seed=options.seed)
        write_lines(options.out / f"{part}.jsonl.gz", entries)
        kinds = Counter((claim["kind"], claim["is_true"]) for entry in entries for claim in entry["claims"])
        print(part, len(entries), {f"{kind} {truth}": n for (kind, truth), n in sorted(kinds.items(), key=str)})


if __name__ == "__main__":
    main()
