"""Text without the characters that nobody sees: what is read is what is there.

Zero-width characters hide words from readers or from checks, direction controls show a text in another order than it is
stored in ("Trojan Source", CVE-2021-42574), and control characters break terminals and pages.
"""

import re

_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029\v\f]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers that look like nothing
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, direction, annotation
    "\ud800-\udfff\U000e0000-\U000e0fff]"  # halves of characters; tags
    # Joiners shape Persian, Hindi and emoji, so that they stay behind a letter that is no ASCII; once.
    "|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]"
)


def visible(text: str) -> str:
    """The same text without unseen characters; line breaks of all kinds become ``\\n``.

    Letters that are written from right to left stay as they are: only the controls that turn others round go.
    """
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub("", _BREAKS.sub("\n", text))
