"""Settings of the local backend; light, so that the command line can show them without loading any model library."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from whyrec.runtime.strict_model import StrictModel


class LocalSettings(StrictModel):
    """How a local model is loaded and run."""

    device: str = "auto"
    """Where it runs, such as cpu or cuda:1; auto takes a GPU if there is one."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format; auto takes float32 on a CPU and a 16-bit one on a GPU."""
    template: Literal["model", "plain"] = "model"
    """``model`` asks through the model's chat template, ``plain`` joins the contents by a blank line: raw text."""
    adapter: Path | None = None
    """Directory of a LoRA adapter to put on the model."""
    revision: str | None = None
    """Branch, tag or commit on the hub; its default branch if none is named."""
    token_budget: int = Field(default=65_536, ge=1)
    """Most tokens in memory at once: rows times the longest prompt with its answer. Lower it if memory runs out."""
    max_batch_size: int = Field(default=64, ge=1)
    """Most prompts that are answered at the same time."""
    min_shared_prefix: int = Field(default=32, ge=1)
    """Compute a common beginning once if it has at least this many tokens."""
