"""Make a study's page, one HTML file that needs nothing but itself, and the key beside it."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyrec.data.item_lines import cut
from whyrec.data.visible_text import visible
from whyrec.evaluation.explanation_files import ToldExplanation, read_explanations
from whyrec.evaluation.explanations import writer_counts
from whyrec.evaluation.study_files import KeyPair, RunName, StudiedRun, StudyKey
from whyrec.interfaces import Evidence
from whyrec.runtime.atomic import atomic_file, require_absent
from whyrec.serving.pages import rendered_page
from whyrec.serving.report.passages import sections_of
from whyrec.serving.study.pairs import TextPair, by_key, choose_pairs

_LONGEST_FACT = 300
_MOST_FACTS = 60
_UNSHOWN = ("title", "driver")
"""The title stands above; drivers are a model's insides, which say nothing to raters and name the method to some."""


@dataclass(frozen=True, slots=True)
class BuiltStudy:
    """What was written."""

    page: Path
    key_path: Path
    key: StudyKey


@dataclass(frozen=True, slots=True)
class _Shown:
    """A pair as the template shows it; nothing here tells the runs apart."""

    name: str
    title: str
    texts: tuple[list[tuple[str, list[str]]], ...]
    """Of each text, its sections: name and paragraphs."""
    facts: list[tuple[str, str]]


def build_study(a: Path, b: Path, *, out: Path, n_pairs: int, seed: int) -> BuiltStudy:
    """Write a blind page of pairs, and beside it the key: ``study.html`` and ``study.key.json``.

    Args:
        a: One run's explanations, as ``whyrec explain --json`` writes them.
        b: The other's.
        out: The page.
        n_pairs: How many pairs.
        seed: Fixes pairs, order and sides.

    Raises:
        InvalidDataError: If a file cannot be read or explains an item twice.
        InvalidConfigError: If there are not so many pairs.
        OutputExistsError: If the page or its key exists.
        OutputWriteError: If they cannot be written.
    """
    key_path = out.with_suffix(".key.json")
    for path in (out, key_path):
        require_absent(path)
    pairs = choose_pairs(
        by_key(read_explanations(a), path=a), by_key(read_explanations(b), path=b), n_pairs=n_pairs, seed=seed
    )
    shown = [_shown(pair, name=str(place)) for place, pair in enumerate(pairs, start=1)]
    study = _study_of(shown)
    key = StudyKey(
        study=study,
        seed=seed,
        runs={"A": _run("A", pairs, file=a), "B": _run("B", pairs, file=b)},
        pairs=tuple(_key_pair(pair, it) for pair, it in zip(pairs, shown, strict=True)),
    )
    # A key without its page does no harm; a page without its key would be answered for nothing.
    _write(key_path, key.model_dump_json(indent=1) + "\n")
    _write(out, rendered_page("study", {"study": study, "pairs": shown}))
    return BuiltStudy(out, key_path, key)


def _shown(pair: TextPair, *, name: str) -> _Shown:
    first, second = pair.shown
    # Sorted, so that their order does not tell whose they are.
    facts = sorted({fact for told in (first, second) for fact in _facts(told)})
    return _Shown(name, _line(first.title), (_sections(first), _sections(second)), facts[:_MOST_FACTS])


def _sections(told: ToldExplanation) -> list[tuple[str, list[str]]]:
    return [
        (_line(section.name), _paragraphs("".join(passage.text for passage in section.passages)))
        for section in sections_of(told.explanation)
    ]


def _paragraphs(text: str) -> list[str]:
    return [line for line in (line.strip() for line in visible(text).split("\n")) if line]


def _facts(told: ToldExplanation) -> Iterator[tuple[str, str]]:
    for evidence in told.explanation.evidence:
        if evidence.kind not in _UNSHOWN and (value := _value(evidence)):
            yield _line(evidence.label), value


def _value(evidence: Evidence) -> str:
    value = _number(evidence.value) if isinstance(evidence.value, float) else _line(str(evidence.value))
    return f"{value} {_line(evidence.unit)}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.3g}"


def _line(text: str) -> str:
    return cut(" ".join(visible(text).split()), max_chars=_LONGEST_FACT)


def _study_of(shown: Sequence[_Shown]) -> str:
    """A name for what the page shows; sides and runs are not in it, so that it tells nothing of them."""
    told = json.dumps([(it.title, it.texts) for it in shown], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _run(name: RunName, pairs: Sequence[TextPair], *, file: Path) -> StudiedRun:
    return StudiedRun(file=str(file), writers=writer_counts([pair.told[name].explanation for pair in pairs]))


def _key_pair(pair: TextPair, shown: _Shown) -> KeyPair:
    user_id, item_id = pair.told["A"].key
    return KeyPair(pair=shown.name, user_id=user_id, item_id=item_id, first=pair.first)


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
