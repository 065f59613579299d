"""Libraries of an extra: asked for where they are needed, with the command that installs them."""

from importlib import util

from whyrec.errors import MissingExtraError


def require_extra(extra: str, *libraries: str) -> None:
    """Refuse to go on without libraries of an extra.

    Args:
        extra: The extra's name in ``pyproject.toml``.
        libraries: Names as imported.

    Raises:
        MissingExtraError: Naming what is absent and how to install it.
    """
    absent = [library for library in libraries if util.find_spec(library) is None]
    if absent:
        raise MissingExtraError(
            f"extra {extra!r}: expected {', '.join(absent)} to be installed, found nothing. "
            f"Run: pip install 'whyrec[{extra}]'."
        )
