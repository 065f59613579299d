"""Every half-life may be infinite, which weighs all of the past alike, and no other setting may be."""

import math

import pytest
from pydantic import ValidationError

from whyrec.baselines.smoothing import HalfLifeConfig
from whyrec.methods.guided.config import GuidedConfig
from whyrec.methods.mllm3rec.config import RankerConfig, TextHeadConfig
from whyrec.runtime.strict_model import StrictModel

HALF_LIVES = [
    (HalfLifeConfig, "half_life_days"),
    (TextHeadConfig, "half_life"),
    (RankerConfig, "half_life"),
    (GuidedConfig, "half_life_items"),
]


@pytest.mark.parametrize(("settings", "name"), HALF_LIVES)
def test_a_half_life_may_be_infinite_and_must_be_a_number(settings: type[StrictModel], name: str) -> None:
    made = settings.model_validate({name: math.inf})
    assert getattr(settings.model_validate(made.model_dump(mode="json")), name) == math.inf
    with pytest.raises(ValidationError, match="greater than"):
        settings.model_validate({name: math.nan})
