"""Patterns and reasons without a language model, from what items and histories have in common; each text is verified.

``aspects`` reads the catalogue (``keywords`` its texts), ``profile`` compares a history with the average user's,
``phrases`` and ``frames`` are the English, ``composing`` chooses what is said, ``writer`` is the way in.
"""

from whyrec.methods.curec.offline.aspects import Aspect, AspectTable, read_aspects
from whyrec.methods.curec.offline.config import OfflineTextConfig
from whyrec.methods.curec.offline.writer import OfflineWriter, SharedAspect

__all__ = ["Aspect", "AspectTable", "OfflineTextConfig", "OfflineWriter", "SharedAspect", "read_aspects"]
