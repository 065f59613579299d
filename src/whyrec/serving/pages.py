"""A page as one HTML file that needs nothing but itself: its template with its style and script inside."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_NO_FILTERS: Mapping[str, Callable[..., object]] = {}


def rendered_page(
    name: str, content: Mapping[str, object], *, filters: Mapping[str, Callable[..., object]] = _NO_FILTERS
) -> str:
    """Fill the templates ``NAME.html``, ``NAME.css`` and ``NAME.js``; what comes from data is escaped.

    The style of all pages, ``web/base.css``, stands before the page's own.

    Args:
        name: Of the page.
        content: What the template shows; ``style``, ``script`` and ``script_hash`` (SHA-256 in base64, by which the
            page's own policy lets the script run) are added.
        filters: Of the template.
    """
    serving = files("whyrec.serving")
    templates = serving / "templates"
    own = templates / f"{name}.css"
    script = (templates / f"{name}.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("whyrec.serving", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(f"{name}.html").render(
        **content,
        style=Markup("".join(sheet.read_text(encoding="utf-8") for sheet in (serving / "web" / "base.css", own))),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
