"""Items as CURec's prompts show them; they are those of ``whyrec.data.item_lines``, which other papers use too."""

from whyrec.data.item_lines import MASK, NOTHING_KNOWN, SEPARATOR, ItemText, cut, item_texts, neutral

__all__ = ["MASK", "NOTHING_KNOWN", "SEPARATOR", "ItemText", "cut", "item_texts", "neutral"]
