"""Tables of M-LLM3REC's benchmarks."""

from tables import Row, interval, lines, read

SETS = {"amazon2014_beauty": "Beauty", "amazon2014_toys": "Toys", "amazon2018_office": "Office"}
SPLITS = ("standard", "item-cold", "user-cold")
NEGATIVES = {"uniform": "uni29", "category": "cat29"}
OURS = "mllm3rec offline"
METRICS = ("HR@5", "HR@10", "NDCG@5", "NDCG@10")
LLM = "mllm3rec_llm_amazon2014_beauty_untrained_{}"


def mllm3rec_hits(negatives: str) -> str:
    """HR@5 of every method, by data set and split."""
    value = {key: f"{row['value']:.3f}" for key, row in found("mllm3rec", metric="HR@5").items()}
    cells = [(name, f"{split}[{NEGATIVES[negatives]}]") for name in SETS for split in SPLITS]
    methods = sorted(
        dict.fromkeys(method for method, *_ in value), key=lambda it: -float(value.get((it, *cells[0]), "0"))
    )
    body = [[method, *(value.get((method, *cell), "–") for cell in cells)] for method in methods]
    head = [f"{SETS[name]}, {cases.partition('[')[0]}" for name, cases in cells]
    return lines([f"HR@5, {negatives} negatives", *head], body)


def mllm3rec_gains(dataset: str) -> str:
    """How much more the offline ranking hits than each other method, for the same users."""
    rows = read("mllm3rec")["rows"]
    mine = [row for row in rows if row["method"] == OURS and row["dataset"] == dataset]
    gain = {(str(row["metric"]), str(row["protocol"])): row for row in mine}
    cases = [f"{split}[{code}]" for code in NEGATIVES.values() for split in SPLITS]
    others = dict.fromkeys(name.removeprefix("HR@5 - ") for name, _ in gain if name.startswith("HR@5 - "))
    body = [[f"less {it}", *(signed(gain.get((f"HR@5 - {it}", case))) for case in cases)] for it in others]
    return lines([f"{SETS[dataset]}, HR@5", *cases], body)


def mllm3rec_metrics() -> str:
    """All metrics of the offline ranking, with intervals."""
    by_metric = {metric: found("mllm3rec", metric=metric) for metric in METRICS}
    cells = [(OURS, name, f"{split}[{code}]") for name in SETS for code in NEGATIVES.values() for split in SPLITS]
    body = [
        [f"{SETS[name]}, {cases}", *(interval(by_metric[metric][method, name, cases]) for metric in METRICS)]
        for method, name, cases in cells
    ]
    return lines(["mllm3rec offline", *METRICS], body)


def mllm3rec_positions() -> str:
    """HR@5 by the place at which the positive was shown."""
    names = [f"HR@5[shown {first}-{first + 4}]" for first in range(1, 31, 5)]
    by_name = [found("mllm3rec", metric=name) for name in names]
    body = [
        [f"{SETS[key[1]]}, {key[2]}, {key[0]}", *(interval(rows[key]) for rows in by_name)]
        for key in by_name[0]
        if key[2] == "standard[uni29]"
    ]
    return lines(["HR@5, positive shown at", *(name[10:-1] for name in names)], body)


def mllm3rec_llm() -> str:
    """The path through language models that know nothing."""
    body = []
    for where in ("local", "endpoint"):
        results = read(LLM.format(where))
        runs = {run["method"]: run for run in results["config"]["runs"]}
        for method in dict.fromkeys(str(row["method"]) for row in results["rows"]):
            mine = [interval(row) for row in results["rows"] if row["method"] == method]
            run = runs[method]
            body.append([f"{method}, {where}", *mine, str(run["unreadable_lists"]), str(run["profiles"])])
    return lines(["untrained model", *METRICS, "unreadable lists", "profiles read"], body)


def found(name: str, *, metric: str) -> dict[tuple[str, str, str], Row]:
    """Rows of a metric by method, data set and cases."""
    rows = read(name)["rows"]
    return {(str(it["method"]), str(it["dataset"]), str(it["protocol"])): it for it in rows if it["metric"] == metric}


def signed(row: Row | None) -> str:
    return "–" if row is None else f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
