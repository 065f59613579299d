from importlib import metadata

import polars as pl
import pytest

from whyrec.runtime import installation
from whyrec.runtime.installation import Finding, examine


def test_required_libraries_are_listed_with_their_versions() -> None:
    findings = {finding.name: finding for finding in examine({})}
    assert findings["polars"] == Finding("polars", "ok", pl.__version__)
    assert {"python", "cores", "memory", "extra llm", "extra serve"} <= set(findings)
    assert "extra dev" not in findings
    assert all(finding.status != "broken" for finding in findings.values())


def test_an_absent_extra_says_how_to_get_it_and_an_absent_library_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in ("httpx", "rich"):
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(installation.metadata, "version", version)
    findings = {finding.name: finding for finding in examine({})}
    assert findings["rich"] == Finding("rich", "broken", "not installed")
    assert findings["extra api"] == Finding("extra api", "missing", "without httpx; for it: pip install 'whyrec[api]'")
    assert findings["extra offline"].status == "ok"


def test_checks_run_and_their_failures_are_told() -> None:
    def fail() -> str:
        raise ValueError("bad\nworse")

    findings = examine({"good": lambda: "fine", "bad": fail})
    assert findings[-2:] == [Finding("good", "ok", "fine"), Finding("bad", "broken", "ValueError: bad")]
