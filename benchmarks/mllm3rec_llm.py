"""M-LLM3REC's modules by a language model on the fixed 1 + 29 cases: the plain model, the whole, and its ablations.

    python benchmarks/mllm3rec_llm.py --data ../shared/data --work runs/mllm3rec --llm http://127.0.0.1:8000/v1#MODEL
    python benchmarks/mllm3rec_llm.py ... --dataset amazon2018_office --users 200 --permutations 1 3 5

The same case files as ``mllm3rec.py``, the first ``--users`` of each in the order of ids. Answers are kept in --work,
so a run that was killed asks nothing twice; what the models cost per user is part of the results.

``--tiny endpoint`` and ``--tiny local`` take an untrained model for the path alone: its answers mean nothing and it
must be at chance. A server such as ``transformers serve`` does not force the form of an answer, so there no list can
be read and all candidates are tied; the local backend forces it, so there every list is read, and is as good as drawn
by lot.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import mllm3rec_data as sets
from whyrec.evaluation.candidate_cases import CANDIDATES, METRICS, CandidateCases, case_metrics
from whyrec.evaluation.consistency import require_consistent
from whyrec.evaluation.significance import bootstrap_mean
from whyrec.llm.model import LanguageModel
from whyrec.llm.opening import open_model, parse_spec
from whyrec.methods.mllm3rec.contexts import contexts_before
from whyrec.methods.mllm3rec.position_bias import hit_rate_by_input_position
from whyrec.methods.mllm3rec.reranking import Reranked, Reranker
from whyrec.methods.mllm3rec.roles import Models
from whyrec.runtime.manifest import write_results

TINY_CONTEXT = 16_384
PLAIN = {"with_profiles": False, "with_traits": False, "n_permutations": 1}
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "plain model": PLAIN,
    "mllm3rec": {},
    "w/o mope": {"with_profiles": False},
    "w/o mote": {"with_traits": False},
    "w/o reflection": {"reflects": False},
    "pointwise": {"n_permutations": 0},
}


def reranked(
    catalogue: sets.Catalogue, cases: CandidateCases, models: Models, settings: Mapping[str, object]
) -> Reranked:
    contexts = contexts_before(catalogue.data, cases.frame.select("user_id", "timestamp"))
    candidates = dict(cases.frame.select("user_id", CANDIDATES).iter_rows())
    plain = Reranker.of(catalogue.data.items, models)
    reranker = replace(plain, **settings)  # type: ignore[arg-type]
    return reranker.rerank(list(contexts.values()), candidates)


def rows_of(name: str, found: Reranked, cases: CandidateCases, *, dataset: str, writer: str) -> list[dict[str, object]]:
    """The metrics of one variant, with intervals; a row that cannot be is refused."""
    per_user = case_metrics(found.lists(k=1 + cases.settings.n_negatives), cases)
    require_consistent(
        {metric: float(per_user[metric].to_numpy().mean()) for metric in METRICS}, where=f"{dataset} {name}"
    )
    rows = []
    for metric in METRICS:
        interval = bootstrap_mean(per_user[metric].to_numpy())
        rows.append(
            {
                "method": name,
                "dataset": dataset,
                "protocol": cases.name,
                "metric": metric,
                **{key: round(getattr(interval, key), 6) for key in ("value", "low", "high")},
                "n": interval.n,
                "seed": 0,
                "writer": writer,
            }
        )
    return rows


def record_of(
    name: str, found: Reranked, cases: CandidateCases, models: Models, *, seconds: float
) -> dict[str, object]:
    """What a reader must know of a run beside its metrics."""
    positives = dict(cases.truth.iter_rows())
    places = hit_rate_by_input_position(found.matchings, positives, k=5)
    return {
        "method": name,
        "seconds": round(seconds, 1),
        "unreadable_lists": sum(not it.is_ranked for it in found.matchings),
        "profiles": len(found.profiles),
        "traits": len(found.traits),
        "hit_rate_by_input_position": places.to_dicts(),
        # Of all variants so far: what one has asked, the next has in the cache.
        "usage_so_far": models.usage(n_users=len(found.matchings)).drop("model").to_dicts(),
    }


@contextmanager
def tiny_model(where: str) -> Iterator[str]:
    """An untrained model, behind a real server or in this process, as ``--llm`` names it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from llm.tiny_model import build_tiny_model
    from llm.transformers_server import serving

    with tempfile.TemporaryDirectory() as directory:
        model = build_tiny_model(Path(directory) / "tiny", steps=0)
        # Thirty candidates are more than it is made for; untrained, it does not mind.
        for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
            content = json.loads((model / name).read_text("utf-8"))
            (model / name).write_text(json.dumps({**content, key: TINY_CONTEXT}), encoding="utf-8")
        if where == "local":
            yield f"local:{model}"
            return
        with serving(model) as url:
            yield f"{url}#{model}"


def opened(text: str, work: Path) -> LanguageModel:
    spec = parse_spec(text)
    if spec is None:
        raise SystemExit("--llm: expected a model, got none.")
    work.mkdir(parents=True, exist_ok=True)
    return open_model(spec, cache=work / "answers.sqlite")


def run(options: argparse.Namespace, models: Models) -> None:
    catalogue = sets.load(options.dataset, options.data)
    split = catalogue.split(options.split)
    whole = sets.kept_cases(
        catalogue, split, scheme=options.negatives, directory=options.work / "cases", users=sets.N_USERS
    )
    cases = replace(whole, frame=whole.frame.head(options.users))
    variants = {name: {"n_permutations": options.permutations[0], **VARIANTS[name]} for name in options.variants}
    for n in options.permutations[1:]:
        variants[f"mllm3rec, {n} orders"] = {"n_permutations": n}
    rows, records, started = [], [], time.perf_counter()
    for name, settings in variants.items():
        before = time.perf_counter()
        found = reranked(catalogue, cases, models, settings)
        # A model from a directory is called by its path.
        writer = f"untrained, {options.tiny}" if options.tiny else models.ranker.writer
        rows += rows_of(name, found, cases, dataset=options.dataset, writer=writer)
        records.append(record_of(name, found, cases, models, seconds=time.perf_counter() - before))
        print(json.dumps({**records[-1], "rows": rows[-len(METRICS) :]}), file=sys.stderr, flush=True)
    config = {
        "tiny": options.tiny,
        "users": cases.frame.height,
        "cases": cases.name,
        "variants": variants,
        "runs": records,
    }
    name = f"mllm3rec_llm_{options.dataset}{f'_untrained_{options.tiny}' if options.tiny else ''}.json"
    write_results(options.out / name, config=config, wall_time_s=time.perf_counter() - started, rows=rows)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where cases and answers are kept")
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--dataset", choices=sets.DATASETS, default="amazon2014_beauty")
    parser.add_argument("--split", choices=sets.SPLITS, default="standard")
    parser.add_argument("--negatives", choices=sets.SCHEMES, default="uniform")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--permutations", nargs="+", type=int, default=[3, 1, 5], help="the first is the default")
    parser.add_argument("--llm", help="the ranker, and the extractor unless --extractor names another")
    parser.add_argument("--extractor", help="a cheaper model for profiles and traits")
    parser.add_argument("--tiny", choices=["endpoint", "local"], help="an untrained model, for the path alone")
    options = parser.parse_args(arguments)
    if options.tiny:
        with tiny_model(options.tiny) as text:
            run(options, Models.one(opened(text, options.work)))
        return
    if options.llm is None:
        parser.error("--llm or --tiny is required")
    ranker = opened(options.llm, options.work)
    run(options, Models(opened(options.extractor, options.work), ranker) if options.extractor else Models.one(ranker))


if __name__ == "__main__":
    main(sys.argv[1:])
