"""Every method that can be fitted, by the name that the command line knows it by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from whyrec.baselines.registry import BASELINES
from whyrec.errors import InvalidConfigError
from whyrec.forecasts import WindowConfig
from whyrec.interfaces import Forecaster
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster
from whyrec.runtime.config import validated

Settings = OfflineConfig | WindowConfig
"""What a forecaster here is built from; both have ``window`` and ``length``."""

DEFAULT_WINDOW = "30d"


@dataclass(frozen=True, slots=True)
class Method:
    """A forecaster class, its settings, and those of them that the name stands for."""

    name: str
    label: str
    """In tables: beside the name, what writes where no language model does."""
    forecaster: type[Forecaster]
    config: type[OfflineConfig] | type[WindowConfig]
    fixed: Mapping[str, object] = field(default_factory=dict)

    def settings(self, options: Mapping[str, object]) -> Settings:
        """Complete and check settings; windows are 30 days unless ``options`` say otherwise.

        Raises:
            InvalidConfigError: If an option is unknown, fixed by the method's name, or out of range.
        """
        where = f"settings of {self.name}"
        validated(self.config, options, where=where, fixed=self.fixed)
        return validated(self.config, {"window": DEFAULT_WINDOW, **options, **self.fixed}, where=where)

    def restored(self, content: Mapping[str, object]) -> Settings:
        """Settings as ``model_dump`` wrote them."""
        return validated(self.config, content, where=f"settings of {self.name}")

    def build(self, settings: Settings) -> Forecaster:
        """Make an unfitted forecaster."""
        # Every class here takes its settings and nothing else; the protocol leaves construction open.
        return self.forecaster(settings)  # type: ignore[call-arg]


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "trail": Method("trail", "trail_offline", OfflineForecaster, OfflineConfig),
        **{
            name: Method(name, name, baseline.forecaster, baseline.config, baseline.options)
            for name, baseline in BASELINES.items()
        },
    }
)


def method_named(name: str) -> Method:
    """Look a method up.

    Raises:
        InvalidConfigError: If there is none of that name; the message lists all.
    """
    if name not in METHODS:
        raise InvalidConfigError(f"method: expected one of {', '.join(METHODS)}, got {name!r}. Choose one.")
    return METHODS[name]
