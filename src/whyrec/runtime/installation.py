"""What is installed: versions of the required libraries, extras present or absent, cores and memory."""

import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

_PACKAGE = "whyrec"
_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_DEVELOPMENT = "dev"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report on the installation."""

    name: str
    status: Literal["ok", "missing", "broken"]
    """``missing`` is an extra that is not installed: no defect."""
    detail: str


def examine(checks: Mapping[str, Callable[[], str]]) -> list[Finding]:
    """Report on the machine, the libraries and the extras, and run a few checks.

    Args:
        checks: By name, functions that return a short result, or raise if the thing is broken.
    """
    required, extras = _requirements()
    return [
        Finding("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}"),
        Finding("cores", "ok", str(len(os.sched_getaffinity(0)))),
        Finding("memory", "ok", f"{_memory_gb():.1f} GB"),
        *(_library(name) for name in required),
        *(_extra(name, libraries) for name, libraries in extras.items() if name != _DEVELOPMENT),
        *(_checked(name, check) for name, check in checks.items()),
    ]


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    required = [_PACKAGE]
    extras: dict[str, list[str]] = {}
    for requirement in metadata.requires(_PACKAGE) or []:
        found = _NAME.match(requirement)
        assert found is not None, f"a requirement starts with a name: {requirement!r}"
        extra = _EXTRA.search(requirement)
        (extras.setdefault(extra[1], []) if extra else required).append(found[0])
    return required, extras


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _library(name: str) -> Finding:
    version = _version(name)
    return Finding(name, "broken", "not installed") if version is None else Finding(name, "ok", version)


def _extra(name: str, libraries: list[str]) -> Finding:
    absent = [library for library in libraries if _version(library) is None]
    if absent:
        detail = f"without {', '.join(absent)}; for it: pip install '{_PACKAGE}[{name}]'"
        return Finding(f"extra {name}", "missing", detail)
    return Finding(f"extra {name}", "ok", ", ".join(f"{library} {_version(library)}" for library in libraries))


def _checked(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", check())
    except (ImportError, OSError, RuntimeError, ValueError, ArithmeticError, AttributeError) as error:
        return Finding(name, "broken", f"{type(error).__name__}: {error}".splitlines()[0])


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
