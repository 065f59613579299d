"""Table of how fast published documents are served, beside an endpoint that returns a constant body."""

from tables import lines, read

_SHARE = "share of the bare endpoint's throughput"
_OURS, _BARE = "whyrec", "bare FastAPI endpoint"


def serving() -> str:
    """One row per kind of request that was measured against the bare endpoint."""
    found = {(str(row["case"]), str(row["system"]), str(row["metric"])): row for row in read("serving")["rows"]}
    body = []
    for case, system, metric in found:
        if (system, metric) == (_OURS, _SHARE):
            rates, p50, p99 = (
                " / ".join(f"{found[case, it, name]['value']:{form}}" for it in (_OURS, _BARE))
                for name, form in (
                    ("requests per second", ",.0f"),
                    ("p50 at half load", ".1f"),
                    ("p99 at half load", ".1f"),
                )
            )
            size = f"{found[case, _OURS, 'size of the body']['value']:,}"
            body.append([case, size, rates, f"{found[case, _OURS, _SHARE]['value']:.2f}", p50, p99])
    head = ["request", "bytes", "requests per second, ours / bare", "share"]
    return lines([*head, "p50 at half load, ms", "p99 at half load, ms"], body)
