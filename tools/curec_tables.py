"""Tables of CURec's benchmarks."""

from tables import Row, interval, lines, read

ALIGNMENT_MEASURES = (
    "sampled reward, first 5 updates",
    "sampled reward, last 20 updates",
    "correct, temperature 0",
    "correct, temperature 1",
    "shared",
    "generic",
    "reward, sampled",
    "shared, sampled",
    "shared, likeliest",
    "shared, in updates",
    "test NDCG@10, first texts",
    "test NDCG@10, corrected texts",
    "test NDCG@10, corrected texts, refit",
)


def curec(dataset: str) -> str:
    """Every variant: what it reaches, and how far it is from the encoder that it begins with."""
    rows = read(f"curec_{dataset}")["rows"]
    found = by_method(rows)
    plain, paired = ("Recall@1", "Recall@5", "Recall@20", "NDCG@20"), ("Recall@10", "NDCG@10")
    body = []
    for method, by_metric in sorted(found.items(), key=lambda pair: -pair[1]["NDCG@10"]["value"]):
        cells = [f"{by_metric[metric]['value']:.4f}" for metric in (*paired, *plain)]
        gains = [signed(by_metric[f"{metric} - sasrec"]) if method != "sasrec" else "" for metric in paired]
        body.append([method, str(by_metric["NDCG@10"]["seed"]), *cells[:2], *gains, *cells[2:]])
    head = [dataset, "seeds", *paired, *(f"{metric}, difference from sasrec" for metric in paired), *plain]
    return lines(head, body)


def curec_quartiles(dataset: str) -> str:
    """Differences from SASRec by how often the test item stands in training."""
    names = [f"Recall@10[popularity quartile {n}] - sasrec" for n in range(1, 5)]
    body = [
        [method, *(signed(by_metric[name]) if name in by_metric else "–" for name in names)]
        for method, by_metric in by_method(read(f"curec_{dataset}")["rows"]).items()
        if method != "sasrec"
    ]
    return lines([f"{dataset}, Recall@10 - sasrec", "least popular quarter", "second", "third", "most popular"], body)


def curec_controls(dataset: str) -> str:
    """The full model less the same one without what reasons say."""
    by_metric = by_method(read(f"curec_{dataset}")["rows"])["curec full"]
    metrics = ("Recall@10", "NDCG@10", "Recall@20", "NDCG@20")
    body = [
        [name, str(by_metric[f"NDCG@10 - {name}"]["seed"]), *(signed(by_metric[f"{it} - {name}"]) for it in metrics)]
        for name in ("shuffled", "none")
    ]
    return lines(["curec full, less", "seeds", *metrics], body)


def curec_serving(dataset: str) -> str:
    """Time per user by how many items get their reasons read."""
    body = []
    for depth, times in read(f"curec_{dataset}")["config"]["serving"].items():
        if isinstance(times, dict):
            ratios = [
                f"{times[f're-ranking{kind}_ms']:.2f} / {times[f'base{kind}_ms']:.2f} ms = "
                f"{times[f're-ranking{kind}_ms'] / times[f'base{kind}_ms']:.2f}"
                for kind in (", alone", "")
            ]
            body.append([depth, *ratios, f"{times['same_first_ten']:.1%}"])
    head = ["items re-ranked", "users one by one", "512 users at once", "first ten as with attention over all items"]
    return lines(head, body)


def with_intervals(name: str) -> str:
    body = [[str(row["metric"]), interval(row)] for row in read(name)["rows"]]
    return lines([str(read(name)["rows"][0]["case"]), "value"], body)


def by_method(rows: list[Row]) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(str(row["method"]), {})[str(row["metric"])] = row
    return found


def signed(row: Row) -> str:
    return f"{row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def curec_alignment() -> str:
    """The reinforcement path of a tiny model, the seeds beside each other."""
    rows = read("curec_alignment")["rows"]
    seeds = sorted({row["seed"] for row in rows})
    value = {(row["case"], row["metric"], row["seed"]): row["value"] for row in rows}
    body = []
    for case, metric in dict.fromkeys((str(row["case"]), str(row["metric"])) for row in rows):
        if metric in ALIGNMENT_MEASURES:
            body.append([case, metric, *(f"{value[case, metric, seed]:.3f}" for seed in seeds)])
    return lines(["case", "measure", *(f"seed {seed}" for seed in seeds)], body)
