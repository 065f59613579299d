"""Write the tables in README.md and docs/ from results/*.json, between their markers.

    python tools/render_tables.py            rewrite what is stale
    python tools/render_tables.py --check    only say what is stale; exit 1 if anything is

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; NAME is a function below. No figure in these
tables is typed by hand.
"""

import re
import sys
from collections.abc import Callable, Mapping

from curec_tables import curec, curec_alignment, curec_controls, curec_quartiles, curec_serving, with_intervals
from explanation_tables import explanations_of_methods, faithfulness_of_methods, verification_claims
from guided_tables import (
    guided,
    guided_drawn,
    guided_gains,
    guided_known,
    guided_reranking,
    guided_sense,
    guided_shifts,
    guided_studies,
    guided_tuning,
)
from mllm3rec_tables import (
    NEGATIVES,
    SETS,
    mllm3rec_gains,
    mllm3rec_hits,
    mllm3rec_llm,
    mllm3rec_metrics,
    mllm3rec_positions,
)
from serving_tables import serving
from tables import RESULTS, ROOT, Row, figure, interval, last_protocol, lines, read

PAGES = ("README.md", "docs/results.md", "docs/serving.md")
DATASETS = {
    "movietweetings": "MovieTweetings",
    "online_retail": "Online Retail",
    "amazon2014_toys": "Amazon Toys",
    "amazon2014_beauty": "Amazon Beauty",
}
METHODS = {
    "trail_offline": "**whyrec, no language model**",
    "last_3_days": "last 3 days",
    "last_7_days": "last 7 days",
    "last_14_days": "last 14 days",
    "last_30_days": "last 30 days",
    "half_life": "decayed counts",
    "ema": "moving average of windows",
    "seasonal_naive": "seasonal naive",
    "all_time": "all time",
    "pare": "PARE",
    "pare_history": "PARE, history alone",
    "chance": "chance",
    "oracle": "count oracle",
    "greedy_coverage_oracle": "greedy coverage oracle",
}
WRITING = ("asked", "attempts", "cut", "verified_at_once", "by_model", "numbers", "numbers_right")
MEASURED = ("llm_local", "llm_structured", "llm_cache", "encoders", "dtw")
"""Results whose rows are told as they came."""
COUNT_METRICS = {"WAPE[active]": "WAPE", "Spearman[active]": "Spearman", "Coverage[active]": "80% interval covers"}


def share_of_oracle() -> str:
    """HR@10 as a share of the count oracle's, all data sets beside each other."""
    found = {name: read(f"forecasting_{name}")["rows"] for name in DATASETS}
    body = [
        [
            title,
            *(figure(rows, method=m, metric="HR@10/oracle", protocol=last_protocol(rows)) for rows in found.values()),
        ]
        for m, title in METHODS.items()
        if m not in ("oracle", "seasonal_naive", "pare_history")
    ]
    return lines(["share of the count oracle's HR@10", *DATASETS.values()], body)


def against_recency() -> str:
    """Ours against the recency baseline chosen on earlier windows."""
    content = read("forecasting")
    names = {
        "trail_offline": "whyrec, no language model",
        "best recency": "best recency baseline, chosen on earlier windows",
    }
    body = [
        [names.get(str(row["method"]), "difference"), f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"]
        for row in content["rows"]
    ]
    return lines(["mean of four data sets", "share of the count oracle's HR@10"], body)


def forecasting(name: str) -> str:
    rows = read(f"forecasting_{name}")["rows"]
    metrics = ("HR@5", "HR@10", "HR@10/oracle", "NDCG@5", "NDCG@10", "NDCG_div@10")
    body = [
        [title, *(figure(rows, method=m, metric=metric, protocol=last_protocol(rows)) for metric in metrics)]
        for m, title in METHODS.items()
    ]
    return lines([last_protocol(rows), *metrics], body)


def windows() -> str:
    """HR@10 of every single window, for those who want to see how unsteady they are."""
    body = []
    for name, title in DATASETS.items():
        rows = read(f"forecasting_{name}")["rows"]
        for protocol in list(dict.fromkeys(str(row["protocol"]) for row in rows))[:-1]:
            cells = [
                figure(rows, method=m, metric="HR@10", protocol=protocol)
                for m in ("trail_offline", "last_7_days", "last_14_days", "oracle")
            ]
            body.append([f"{title} {protocol}", *cells])
    return lines(["window", "whyrec", "last 7 days", "last 14 days", "count oracle"], body)


def counts() -> str:
    """How good the forecast numbers are, and whether the intervals hold what they promise."""
    body = []
    for name, title in DATASETS.items():
        rows = read(f"forecasting_{name}")["rows"]
        for protocol in list(dict.fromkeys(str(row["protocol"]) for row in rows))[:-1]:
            cells = [figure(rows, method="trail_offline", metric=m, protocol=protocol) for m in COUNT_METRICS]
            baseline = figure(rows, method="last_30_days", metric="WAPE[active]", protocol=protocol)
            body.append([f"{title} {protocol}", *cells, baseline])
    return lines(["window", *COUNT_METRICS.values(), "WAPE of last 30 days"], body)


def data_scale() -> str:
    rows = read("data_scale")["rows"]
    cases = list(dict.fromkeys((str(r["case"]), str(r["system"])) for r in rows))
    value = {(r["case"], r["system"], r["metric"]): r["value"] for r in rows}
    body = [
        [case, system, *(f"{value[case, system, metric]:,.1f}" for metric in ("wall_time_s", "peak_rss_mb"))]
        for case, system in cases
    ]
    return lines(["work", "system", "wall time, s", "peak memory, MB"], body)


def verification() -> str:
    body = [[str(r["case"]), str(r["metric"]), f"{r['value']} {r['unit']}"] for r in read("verification")["rows"]]
    return lines(["texts", "measure", "value"], body)


def measures(name: str) -> str:
    """Every row of a benchmark as it came."""
    body = [
        [str(r["case"]), str(r["system"]), str(r["metric"]), f"{r['value']:,} {r['unit']}".strip()]
        for r in read(name)["rows"]
    ]
    return lines(["case", "system", "measure", "value"], body)


def leave_one_out(dataset: str) -> str:
    """Every method that has been run on a data set, the best first."""
    found = []
    for path in RESULTS.glob(f"leave_one_out_{dataset}_*.json"):
        rows = read(path.stem)["rows"]
        cells = [
            figure(rows, method=str(rows[0]["method"]), metric=metric, protocol="leave-one-out")
            for metric in ("HR@5", "HR@10", "NDCG@5", "NDCG@10")
        ]
        value = next(row["value"] for row in rows if row["metric"] == "NDCG@10")
        found.append((value, str(rows[0]["method"]), cells))
    body = [[name, *cells] for _, name, cells in sorted(found, key=lambda entry: (-entry[0], entry[1]))]
    return lines([dataset, "HR@5", "HR@10", "NDCG@5", "NDCG@10"], body)


def trail_scratch(dataset: str) -> str:
    """Every variant and rival on one data set, the best first."""
    rows = read(f"trail_scratch_{dataset}")["rows"]
    protocol = last_protocol(rows)
    found = {}
    for row in rows:
        name = f"{row['method']}" + (f", seed {row['seed']}" if row["writer"] == "scratch" else "")
        if row["protocol"] == protocol:
            found.setdefault(name, {})[row["metric"]] = row
    metrics = ("HR@10", "NDCG@10", "Jaccard@10", "HR@10/oracle")
    body = []
    for name, by_metric in sorted(found.items(), key=lambda pair: -pair[1]["HR@10"]["value"]):
        cells = [interval(by_metric[metric]) if metric in by_metric else "–" for metric in metrics]
        body.append([METHODS.get(name, name), *cells])
    return lines(
        [f"{DATASETS[dataset]}, {protocol}", "HR@10", "NDCG@10", "Jaccard@10", "share of the count oracle"], body
    )


def trail_ablations(dataset: str) -> str:
    """Variants on the last window alone, the full method first."""
    content = read(f"trail_scratch_{dataset}")
    protocol = content["config"]["windows"][-1]
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in content["rows"]:
        if row["protocol"] == protocol and row["writer"] == "scratch" and "[" not in row["metric"]:
            found.setdefault((row["method"].partition(", ")[2], row["seed"]), {})[row["metric"]] = row
    body = []
    for (variant, seed), by_metric in sorted(found.items(), key=lambda pair: (pair[0][0] != "full", pair[0])):
        run = content["config"]["runs"][f"{variant}#{seed}"][-1]
        writing = run["writing"]
        body.append(
            [
                f"{variant}, seed {seed}",
                interval(by_metric["HR@10"]),
                interval(by_metric["NDCG@10"]),
                f"{writing['verified_at_once'] / writing['asked']:.1%}",
                f"{writing['numbers_right'] / max(writing['numbers'], 1):.1%}",
                f"{run['fit_s']:.0f} s",
            ]
        )
    head = [f"{DATASETS[dataset]}, {protocol}", "HR@10", "NDCG@10", "verified at once", "numbers right", "fit"]
    return lines(head, body)


def trail_classes(dataset: str) -> str:
    """HR@10 among the users of each kind of item, and the share of the list that the kind holds."""
    rows = [row for row in read(f"trail_scratch_{dataset}")["rows"] if "[" in row["metric"]]
    kinds = list(dict.fromkeys(row["metric"].partition("[")[2].rstrip("]") for row in rows))
    kinds = [kind for kind in kinds if kind != "active"]
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        found.setdefault((row["method"], row["seed"]), {})[row["metric"]] = row
    body = []
    for (method, seed), by_metric in found.items():
        if f"HR@10[{kinds[0]}]" not in by_metric:
            continue
        name = f"{method}, seed {seed}" if method.startswith("trail_scratch") else METHODS.get(method, method)
        cells = []
        for kind in kinds:
            hits, places = (by_metric.get(f"{metric}@10[{kind}]") for metric in ("HR", "Share"))
            cells.append("–" if hits is None else f"{hits['value']:.3f} ({places['value']:.0%})")
        body.append([name, *cells])
    return lines([f"{DATASETS[dataset]}", *kinds], body)


def trail_writing() -> str:
    """How the explanations of the small model fared, over all tested windows."""
    body = []
    for dataset in ("movietweetings", "amazon2014_beauty"):
        if not (RESULTS / f"trail_scratch_{dataset}.json").is_file():
            continue
        for label, runs in read(f"trail_scratch_{dataset}")["config"]["runs"].items():
            total = {name: sum(run["writing"][name] for run in runs) for name in WRITING}
            share = {
                "verified at once": total["verified_at_once"] / total["asked"],
                "by the model in the end": total["by_model"] / total["asked"],
                "attempts cut or without a section": total["cut"] / total["attempts"],
                "every number right, first attempt": total["numbers_right"] / max(total["numbers"], 1),
            }
            body.append([f"{DATASETS[dataset]}: {label}", str(total["asked"]), *(f"{v:.1%}" for v in share.values())])
    return lines(
        ["variant#seed", "explained", "verified at once", "by the model", "cut", "numbers right at once"], body
    )


TABLES: Mapping[str, Callable[[], str]] = {
    "share_of_oracle": share_of_oracle,
    "against_recency": against_recency,
    "windows": windows,
    "counts": counts,
    "data_scale": data_scale,
    "verification": verification,
    "verification_claims": verification_claims,
    **{name: lambda name=name: measures(name) for name in MEASURED},
    **{f"leave_one_out_{name}": lambda name=name: leave_one_out(name) for name in ("ml1m", "amazon2014_beauty")},
    "trail_writing": trail_writing,
    **{
        f"trail_scratch_{name}": lambda name=name: trail_scratch(name)
        for name in ("movietweetings", "amazon2014_beauty")
    },
    **{
        f"trail_{kind}_{name}": lambda table=table, name=name: table(name)
        for kind, table in (("ablations", trail_ablations), ("classes", trail_classes))
        for name in ("movietweetings", "amazon2014_beauty")
    },
    **{
        f"{table.__name__}_{name}": lambda table=table, name=name: table(name)
        for table in (curec, curec_controls, curec_quartiles, curec_serving)
        for name in ("ml1m", "amazon2014_beauty")
    },
    "curec_alignment": curec_alignment,
    **{
        f"{table.__name__}_{name}": lambda table=table, name=name: table(name)
        for table in (guided, guided_drawn, guided_gains, guided_known, guided_reranking, guided_studies)
        for name in ("ml1m", "amazon2014_beauty")
    },
    "guided_gains_ml1m_patience5": lambda: guided_gains("ml1m_patience5"),
    "guided_gains_ml1m_earlier": lambda: guided_gains("ml1m_earlier"),
    "guided_gains_amazon2014_beauty_earlier": lambda: guided_gains("amazon2014_beauty_earlier"),
    "guided_studies_ml1m_earlier": lambda: guided_studies("ml1m_earlier"),
    "guided_studies_amazon2014_beauty_alpha4": lambda: guided_studies("amazon2014_beauty_alpha4"),
    "guided_sense": guided_sense,
    "guided_shifts": guided_shifts,
    "guided_tuning": guided_tuning,
    **{f"mllm3rec_hits_{name}": lambda name=name: mllm3rec_hits(name) for name in NEGATIVES},
    **{f"mllm3rec_gains_{name}": lambda name=name: mllm3rec_gains(name) for name in SETS},
    "mllm3rec_metrics": mllm3rec_metrics,
    "mllm3rec_positions": mllm3rec_positions,
    "mllm3rec_llm": mllm3rec_llm,
    "explanations_of_methods": explanations_of_methods,
    "faithfulness_of_methods": faithfulness_of_methods,
    "serving": serving,
    "curec_explanations": lambda: with_intervals("curec_explanations"),
    "beauty_june_2014": lambda: forecasting("beauty_june_2014"),
    **{f"forecasting_{name}": lambda name=name: forecasting(name) for name in DATASETS},
}


def rendered(text: str) -> str:
    def table(match: re.Match[str]) -> str:
        return f"<!-- table: {match[1]} -->\n{TABLES[match[1]]()}\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", table, text, flags=re.DOTALL)


def main() -> int:
    stale = []
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        if rendered(text) != text:
            stale.append(page)
            if "--check" not in sys.argv[1:]:
                path.write_text(rendered(text), encoding="utf-8")
    print(f"{'stale' if '--check' in sys.argv[1:] else 'rewritten'}: {', '.join(stale) or 'none'}")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
