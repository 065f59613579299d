"""Tables of the benchmarks of guided embedding refinement."""

from tables import RESULTS, Row, lines, read

GUIDED = "guided "
ENCODERS = ("sasrec", "bert4rec", "gru4rec", "gru4rec_plus")
BASE, REFINED = "base", "refined"
CONTROLS = ("random", "shuffled", "projections", "components")
METRICS = ("MRR", "Recall@1", "Recall@5", "Recall@10", "Recall@20", "NDCG@5", "NDCG@10", "NDCG@20")
FULL, DRAWN = "leave-one-out", "leave-one-out, 1 of 101 drawn"
CLOSER = "closer than popular ones"
ADDED = {REFINED: "aspects"}
TUNED = (
    "gain",
    "gain by likeliest numbers",
    "deviation",
    "doubt",
    "sampled share that can be read, least",
    "read, temperature 0",
    "alarms",
    "updates",
    "seconds",
)
Found = dict[tuple[str, str], dict[str, Row]]


def guided(dataset: str) -> str:
    """All metrics of all variants but the studies, over the whole catalogue."""
    return _metrics(dataset, protocol=FULL)


def guided_drawn(dataset: str) -> str:
    """The same beside a hundred items drawn at random: the scale of some of the paper's rows."""
    return _metrics(dataset, protocol=DRAWN)


def guided_gains(dataset: str) -> str:
    """The refined encoder less its base and less each control, and the same of the variants of the user side."""
    body = []
    for (encoder, name), by_metric in _by_variant(dataset, protocol=FULL).items():
        for against in (BASE, *CONTROLS, REFINED):
            if f"NDCG@10 - {against}" not in by_metric or _is_study(name):
                continue
            row = by_metric[f"NDCG@10 - {against}"]
            gain = row["value"] / (by_metric["NDCG@10"]["value"] - row["value"])
            halves = [f"{metric}[less popular half] - {against}" for metric in ("Recall@10", "NDCG@10")]
            cells = [_signed(by_metric[metric]) for metric in (f"Recall@10 - {against}", f"NDCG@10 - {against}")]
            by_seed = " / ".join(f"{value:+.4f}" for value in row.get("by_seed", [])) or "–"
            cells += [by_seed, f"{gain:+.1%}", *(_signed(by_metric[metric]) for metric in halves)]
            body.append([f"{encoder} {name} less {against}", str(row["seed"]), *cells])
    halves = ["Recall@10, less popular half", "NDCG@10, same"]
    head = [dataset, "seeds", "Recall@10", "NDCG@10", "seed by seed", "share", *halves]
    return lines(head, body)


def guided_studies(dataset: str) -> str:
    """How many aspects, how much weight, how wide a base: one seed, and what the validation items said."""
    runs = {(run["encoder"], run["variant"], run["seed"]): run for run in read(f"guided_{dataset}")["config"]["runs"]}
    body = []
    for (encoder, name), by_metric in _by_variant(dataset, protocol=FULL).items():
        if not _is_study(name) and name not in (BASE, REFINED, "learnt weight"):
            continue
        seed = min(seed for which, variant, seed in runs if (which, variant) == (encoder, name))
        run = runs[encoder, name, seed]
        cells = [f"{by_metric[metric]['value']:.4f}" for metric in ("MRR", "Recall@10", "NDCG@10")]
        body.append([f"{encoder} {name}", f"{run['validation_ndcg']:.4f}", str(by_metric["NDCG@10"]["seed"]), *cells])
    head = [dataset, "validation NDCG@10, first seed", "seeds of the test", "MRR", "Recall@10", "NDCG@10"]
    return lines(head, body)


def guided_known(dataset: str) -> str:
    """How much of each aspect the trained columns of an encoder without guided ones tell."""
    known = read(f"guided_{dataset}")["config"]["known_anyway"]
    groups = ("all", "popular", "rare")
    body = [[key, *(f"{known[group][key]:.2f}" for group in groups)] for key in known["all"]]
    return lines([f"{dataset}, {known['items']:,} items", *groups], body)


def guided_reranking(dataset: str) -> str:
    """What columns add to the scores of a trained base, and how often they put the next item before popular ones."""
    gains, body = ("Recall@10", "NDCG@10", "NDCG@10[less popular half]"), []
    for encoder in ENCODERS:
        name = f"guided_reranking_{dataset}_{encoder}"
        rows = read(name)["rows"] if (RESULTS / f"{name}.json").is_file() else []
        found = {(str(row["method"]).removeprefix("base and "), str(row["metric"])): row for row in rows}
        for added in dict.fromkeys(added for added, metric in found if metric == CLOSER):
            cells = [_signed(found[added, f"{it} - {BASE}"]) if added != BASE else "–" for it in gains]
            label = f"{encoder} {BASE}" if added == BASE else f"{encoder} {BASE} and {ADDED.get(added, added)}"
            body.append([label, str(rows[0]["seed"]), *cells, _plain(found[added, CLOSER])])
    return lines([dataset, "seeds", *gains[:2], "NDCG@10, less popular half", CLOSER], body)


def guided_shifts() -> str:
    """The mean tension of users' lists by how much less of it is asked for."""
    told = read("guided_ml1m")["config"]["additivity"]
    chosen = [place for place, amount in enumerate(told["amounts"]) if amount * 2 == int(amount * 2)]
    head = ["shift of tension", *(f"{told['amounts'][place]:g}" for place in chosen)]
    body = [[f"mean tension, {told['users']} lists", *(f"{told['mean_tension'][place]:.2f}" for place in chosen)]]
    return lines(head, body)


def guided_sense() -> str:
    """Whether scores of films stand where their genres and years say; area under the ROC curve."""
    rows = read("guided_sense")["rows"]
    methods = list(dict.fromkeys(str(row["method"]).removeprefix("guided scores, ") for row in rows))
    found = {(str(row["method"]).removeprefix("guided scores, "), str(row["metric"])): row for row in rows}
    body = [
        [metric.removeprefix("AUC[").removesuffix("]"), *(_plain(found[method, metric]) for method in methods)]
        for metric in dict.fromkeys(str(row["metric"]) for row in rows)
    ]
    return lines(["3,883 films", *methods], body)


def guided_tuning() -> str:
    """Both forms of tuning on the toy world; seeds one after the other."""
    rows = read("guided_tuning")["rows"]
    cases = list(dict.fromkeys(str(row["case"]) for row in rows))
    found = {(str(row["case"]), str(row["metric"]), row["seed"]): row["value"] for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    body = []
    for case in cases:
        cells = []
        for metric in TUNED:
            values = [found[case, metric, seed] for seed in seeds if (case, metric, seed) in found]
            is_whole = metric in ("alarms", "updates")
            cells.append(" / ".join(f"{value:.0f}" if is_whole else f"{value:.2f}" for value in values) or "–")
        body.append([case, *cells])
    return lines([f"seeds {' '.join(map(str, seeds))}", *TUNED], body)


def _metrics(dataset: str, *, protocol: str) -> str:
    body = [
        [f"{encoder} {name}", str(by_metric["MRR"]["seed"]), *(f"{by_metric[it]['value']:.4f}" for it in METRICS)]
        for (encoder, name), by_metric in _by_variant(dataset, protocol=protocol).items()
        if not _is_study(name)
    ]
    return lines([dataset, "seeds", *METRICS], body)


def _by_variant(dataset: str, *, protocol: str) -> Found:
    if not (RESULTS / f"guided_{dataset}.json").is_file():
        return {}
    found: Found = {}
    for row in read(f"guided_{dataset}")["rows"]:
        if row["protocol"] == protocol:
            encoder, _, name = str(row["method"]).removeprefix(GUIDED).partition(" ")
            found.setdefault((encoder, name), {})[str(row["metric"])] = row
    return found


def _is_study(name: str) -> bool:
    return name.startswith(("k=", "alpha=", "base("))


def _signed(row: Row) -> str:
    return f"{row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"


def _plain(row: Row) -> str:
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
