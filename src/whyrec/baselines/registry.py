"""The forecasting baselines by name, as reports and the command line spell them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import ValidationError

from whyrec.baselines.counts import (
    AllTimeForecaster,
    LastDaysConfig,
    LastDaysForecaster,
    LastWindowForecaster,
    SeasonalNaiveForecaster,
)
from whyrec.baselines.pare.config import PareConfig
from whyrec.baselines.pare.forecaster import PareForecaster
from whyrec.baselines.smoothing import EmaConfig, EmaForecaster, HalfLifeConfig, HalfLifeForecaster
from whyrec.errors import InvalidConfigError
from whyrec.forecasts import WindowConfig
from whyrec.interfaces import Forecaster

Option = str | int | float | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A forecaster class with the settings that its name stands for."""

    forecaster: type[Forecaster]
    config: type[WindowConfig]
    options: Mapping[str, Option] = field(default_factory=dict)

    def build(self, *, window: str = "month", **options: Option) -> Forecaster:
        """Make an unfitted forecaster for windows of a length (``month`` or ``30d``).

        Raises:
            InvalidConfigError: If an option is unknown or out of range.
        """
        try:
            config = self.config.model_validate({"window": window, **self.options, **options})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise InvalidConfigError(
                f"{self.forecaster.__name__}, option {name!r}: {first['msg']}, got {first['input']!r}. Correct it."
            ) from error
        # Every class here takes its config and nothing else; the protocol leaves construction open.
        return self.forecaster(config)  # type: ignore[call-arg]


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "all_time": Baseline(AllTimeForecaster, WindowConfig),
        "last_window": Baseline(LastWindowForecaster, WindowConfig),
        "last_30_days": Baseline(LastDaysForecaster, LastDaysConfig, {"days": 30}),
        "last_14_days": Baseline(LastDaysForecaster, LastDaysConfig, {"days": 14}),
        "last_7_days": Baseline(LastDaysForecaster, LastDaysConfig, {"days": 7}),
        "last_3_days": Baseline(LastDaysForecaster, LastDaysConfig, {"days": 3}),
        "half_life": Baseline(HalfLifeForecaster, HalfLifeConfig),
        "ema": Baseline(EmaForecaster, EmaConfig),
        "seasonal_naive": Baseline(SeasonalNaiveForecaster, WindowConfig),
        "pare": Baseline(PareForecaster, PareConfig),
        "pare_history": Baseline(PareForecaster, PareConfig, {"modules": ("history",)}),
    }
)


def build_baseline(name: str, *, window: str = "month", **options: Option) -> Forecaster:
    """Make an unfitted baseline by name.

    Raises:
        InvalidConfigError: If there is no such baseline, or an option is unknown or out of range.
    """
    if name not in BASELINES:
        raise InvalidConfigError(f"baseline: expected one of {', '.join(BASELINES)}, got {name!r}. Choose one.")
    return BASELINES[name].build(window=window, **options)
