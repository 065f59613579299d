"""The local backend: any Hugging Face causal language model that fits on this machine. Light until one is opened."""

from whyrec.llm.local.backend import LocalBackend
from whyrec.llm.local.settings import LocalSettings

__all__ = ["LocalBackend", "LocalSettings"]
