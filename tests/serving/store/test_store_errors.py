"""The tree in ``errors.py`` names every error, and the built-in one that it is too."""

import builtins
import re

from whyrec import errors


def test_the_tree_of_errors_is_that_of_the_classes() -> None:
    lines = re.findall(r"^ *[│ ]*[├└]── (\w+) +\((\w+)\)", errors.__doc__ or "", flags=re.MULTILINE)
    ours = {name: found for name, found in vars(errors).items() if isinstance(found, type)}
    told = dict(lines)
    assert told.keys() | {"WhyrecError"} == ours.keys()
    for name, also in told.items():
        assert issubclass(ours[name], errors.WhyrecError)
        assert issubclass(ours[name], getattr(builtins, also)), name
    assert told["StoreUnavailableError"] == "ConnectionError"
