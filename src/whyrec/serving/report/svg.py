"""Turn matplotlib's SVG into elements for the page: no colours, no ids but ours, one group per point.

What matplotlib draws is found by its gid, ``POINT|KIND``. Everything else (background, clip paths, style sheets that
would reach into the page, namespaces) is left behind.
"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Point:
    """How one piece of evidence appears among the page's elements."""

    anchor: str
    says: str
    """Its text for those who hover, focus or listen."""


def gid_of(point: str, kind: str) -> str:
    """Name a drawn shape: which point it belongs to (none: the frame) and what it is."""
    return f"{point}{_SEPARATOR}{kind}"


def tidy(drawing: str, *, points: dict[str, Point], name: str, title: str, text: str) -> str:
    """Rebuild a drawing from its shapes.

    Args:
        drawing: SVG as matplotlib writes it, with ``svg.fonttype: none``.
        points: By evidence id, as in the shapes' gids.
        name: Prefix of the ids of title and description.
        title: Accessible name of the drawing.
        text: Accessible description.

    Returns:
        An ``svg`` element. Each point is a ``g`` with class ``point`` and the id of its anchor, its shapes inside it.
    """
    source = ET.fromstring(drawing)  # matplotlib's own output, never foreign XML
    svg = ET.Element(
        "svg",
        {
            "class": "chart",
            "viewBox": source.attrib["viewBox"],
            "role": "group",
            "aria-labelledby": f"{name}-title",
            "aria-describedby": f"{name}-desc",
        },
    )
    ET.SubElement(svg, "title", {"id": f"{name}-title"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{name}-desc"}).text = text
    groups: dict[str, ET.Element] = {}
    for drawn in source.iter(f"{_SVG}g"):
        point, separator, kind = drawn.get("id", "").rpartition(_SEPARATOR)
        if not separator:
            continue
        if point not in groups:
            groups[point] = _group(svg, points.get(point))
        groups[point].extend(_shape(element, kind) for element in drawn if element.tag.startswith(_SVG))
    return ET.tostring(svg, encoding="unicode")


def _group(svg: ET.Element, point: Point | None) -> ET.Element:
    if point is None:
        return ET.SubElement(svg, "g", {"class": "frame", "aria-hidden": "true"})
    group = ET.SubElement(
        svg,
        "g",
        {
            "class": "point",
            "id": point.anchor,
            "role": "img",
            "aria-label": point.says,
            "data-says": point.says,
            "tabindex": "-1",
        },
    )
    ET.SubElement(group, "title").text = point.says
    return group


def _shape(element: ET.Element, kind: str) -> ET.Element:
    shape = ET.Element(element.tag.removeprefix(_SVG), {"class": kind})
    for name in ("d", "x", "y"):
        if name in element.attrib:
            shape.set(name, " ".join(element.attrib[name].split()))
    shape.text = element.text
    if "text-anchor: middle" in element.get("style", ""):
        shape.set("text-anchor", "middle")
    return shape
