"""Tables of what the explanations of all methods are like, and whether what they cite carries the scores."""

from tables import Row, interval, lines, read

_LABELS = {"trail": "TRAIL", "curec": "CURec", "mllm3rec": "M-LLM3REC", "guided": "guided embedding refinement"}
_COUNTS = ("explanations", "unverified", "unverified and not marked")
_MEASURES = (
    "verified",
    "claims",
    "evidence_cited",
    "words",
    "reading_ease",
    "USR",
    "USR[frame]",
    "FMR",
    "DIV",
    "FCR[explained]",
)
_FAITHFULNESS = "faithfulness: "
_CHANGES = ("change[cited]", "change[random]", "change[cited / random]", "cited changes more")


def explanations_of_methods() -> str:
    """One column per method: counts and measures of its explanations."""
    by_method = _by_method("explanations")
    body = [[name, *(_count(found, name) for found in by_method.values())] for name in _COUNTS]
    body += [[name, *(_cell(found, name) for found in by_method.values())] for name in _MEASURES]
    return lines(["", *(_LABELS[method] for method in by_method)], body)


def faithfulness_of_methods() -> str:
    """One row per method and kind of evidence."""
    protocols = list(dict.fromkeys(str(row["protocol"]) for row in read("explanations")["rows"]))
    body = [
        [
            f"{_LABELS[method]}, {protocol.removeprefix(_FAITHFULNESS)}",
            str(found["cited changes more"]["n"]),
            *(_cell(found, name) for name in _CHANGES),
        ]
        for method in _LABELS
        for protocol in protocols
        if protocol.startswith(_FAITHFULNESS) and (found := _by_method(protocol).get(method))
    ]
    head = ["method, evidence", "explanations", "change without what is cited", "without others", "ratio"]
    return lines([*head, "cited changes more"], body)


def verification_claims() -> str:
    """One row per corpus and part: how many true claims are accepted, and how many accepted claims are true."""
    found = {
        (str(row["case"]), str(row["metric"])): float(str(row["value"])) for row in read("verification_claims")["rows"]
    }
    rows = []
    for corpus, name in (("first", "verification_corpus"), ("second", "claim_corpus")):
        for part in ("development", "held_out"):
            claims, texts = f"{name}, {part}, all types", f"{name}, {part}, explanations"
            rows.append(
                [
                    f"{corpus}, {part.replace('_', ' ')}",
                    f"{found[claims, 'true claims']:,.0f} + {found[claims, 'false claims']:,.0f}",
                    f"{found[claims, 'accepting: precision']:.1f}",
                    f"{found[claims, 'accepting: recall']:.1f}",
                    f"{found[texts, 'false explanations verified']:.1f}",
                    f"{found[texts, 'true explanations refused']:.1f}",
                ]
            )
    head = ["corpus, part", "claims true + false", "accepted that are true, %", "true that are accepted, %"]
    return lines([*head, "false explanations verified, %", "true explanations refused, %"], rows)


def _by_method(protocol: str) -> dict[str, dict[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in read("explanations")["rows"]:
        if row["protocol"] == protocol:
            found.setdefault(str(row["method"]), {})[str(row["metric"])] = row
    return found


def _count(found: dict[str, Row], name: str) -> str:
    return f"{found[name]['value']:,.0f}"


def _cell(found: dict[str, Row], name: str) -> str:
    return interval(found[name]) if name in found else "–"
