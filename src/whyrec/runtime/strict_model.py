"""Settings, records and requests: whatever is written elsewhere and checked field by field."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Declared fields alone, every number finite unless its field says otherwise, and unchanged once checked."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
