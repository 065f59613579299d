"""Every method that can be fitted, by the name that the command line knows it by: forecasters and recommenders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel

from whyrec.baselines.recommenders import RECOMMENDERS
from whyrec.baselines.registry import BASELINES
from whyrec.baselines.zero_shot_llm import ZeroShotConfig, ZeroShotForecaster
from whyrec.errors import InvalidConfigError
from whyrec.forecasts import WindowConfig
from whyrec.interfaces import Forecaster
from whyrec.llm.opening import NONE, ModelSpec, parse_spec
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.guided.config import GuidedConfig
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.mllm3rec.config import MLLM3Config
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.trail.config import SCRATCH, TrailConfig, scratch_defaults
from whyrec.methods.trail.model import TrailForecaster
from whyrec.methods.trail.offline import OfflineConfig, OfflineForecaster
from whyrec.recommending.base import ScoringRecommender
from whyrec.recommending.explained import ListExplainer
from whyrec.runtime.config import layered, validated

DEFAULT_WINDOW = "30d"
TRAIL, _TRAIL_SCRATCH, _TRAIL_TUNED = "trail", "trail_scratch", "trail_tuned"
CUREC, _CUREC_LLM = "curec", "curec_llm"
MLLM3REC = "mllm3rec"
GUIDED, _GUIDED_LLM = "guided", "guided_llm"
ZERO_SHOT = "zero_shot"
_OF_SCRATCH = ("model", "domain", "rendering", "teacher")
"""Settings that a model from scratch leaves no choice in."""
_TUNABLE = "local:"
_ASKING: Mapping[str, str] = {CUREC: _CUREC_LLM, GUIDED: _GUIDED_LLM}
"""Methods that work without a language model, and what they are called where one is asked."""


@dataclass(frozen=True, slots=True)
class Method:
    """A class, its settings, and those of them that the name stands for."""

    name: str
    label: str
    """In tables: beside the name, what writes where no language model does."""
    model: type[Forecaster] | type[ScoringRecommender]
    config: type[BaseModel]
    fixed: Mapping[str, object] = field(default_factory=dict)
    presets: Mapping[str, object] = field(default_factory=dict)
    """Defaults of the name where they differ from the class's; options go over them."""

    @property
    def is_recommender(self) -> bool:
        """Whether it ranks for users; else it makes one list for everybody."""
        return issubclass(self.model, ScoringRecommender)

    @property
    def explains_lists(self) -> bool:
        """Whether it says why items stand in users' lists."""
        return self.is_recommender and issubclass(self.model, ListExplainer)

    @property
    def explains_forecasts(self) -> bool:
        """Whether it says why items stand in its forecast."""
        return issubclass(self.model, OfflineForecaster | TrailForecaster)

    def settings(self, options: Mapping[str, object]) -> BaseModel:
        """Complete and check settings; windows are 30 days unless ``options`` say otherwise.

        Raises:
            InvalidConfigError: If an option is unknown, fixed by the method's name, or out of range.
        """
        where = f"settings of {self.name}"
        validated(self.config, options, where=where, fixed=self.fixed)
        window = {"window": DEFAULT_WINDOW} if "window" in self.config.model_fields else {}
        return validated(self.config, {**layered(window, self.presets, options), **self.fixed}, where=where)

    def restored(self, content: Mapping[str, object]) -> BaseModel:
        """Settings as ``model_dump`` wrote them."""
        return validated(self.config, content, where=f"settings of {self.name}")

    def forecaster(self, settings: BaseModel) -> Forecaster:
        """Make an unfitted forecaster.

        Raises:
            InvalidConfigError: If this is a recommender.
        """
        if issubclass(self.model, ScoringRecommender):
            raise InvalidConfigError(
                f"method: expected one that forecasts ({_names(is_recommender=False)}), got {self.name!r}, which "
                "recommends to users. Choose one of these."
            )
        # Every class here takes its settings and nothing else; the protocol leaves construction open.
        return self.model(settings)  # type: ignore[call-arg]

    def recommender(self, settings: BaseModel) -> ScoringRecommender:
        """Make an unfitted recommender.

        Raises:
            InvalidConfigError: If this is a forecaster.
        """
        if not issubclass(self.model, ScoringRecommender):
            raise InvalidConfigError(
                f"method: expected one that recommends to users ({_names(is_recommender=True)}), got {self.name!r}, "
                "which makes one list for everybody. Choose one of these."
            )
        return self.model(settings)

    def build(self, settings: BaseModel) -> Forecaster | ScoringRecommender:
        """Make an unfitted model."""
        return self.recommender(settings) if self.is_recommender else self.forecaster(settings)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        TRAIL: Method(TRAIL, "trail_offline", OfflineForecaster, OfflineConfig),
        # The same method with a language model: what "fit trail --llm" makes of it.
        _TRAIL_SCRATCH: Method(
            _TRAIL_SCRATCH,
            _TRAIL_SCRATCH,
            TrailForecaster,
            TrailConfig,
            fixed={name: value for name, value in scratch_defaults().items() if name in _OF_SCRATCH},
            presets={name: value for name, value in scratch_defaults().items() if name not in _OF_SCRATCH},
        ),
        _TRAIL_TUNED: Method(_TRAIL_TUNED, _TRAIL_TUNED, TrailForecaster, TrailConfig),
        CUREC: Method(CUREC, "curec_offline", CURecRecommender, CURecConfig, fixed={"llm": None}),
        _CUREC_LLM: Method(_CUREC_LLM, _CUREC_LLM, CURecRecommender, CURecConfig),
        GUIDED: Method(GUIDED, "guided_offline", GuidedRecommender, GuidedConfig, fixed={"llm": None}),
        _GUIDED_LLM: Method(_GUIDED_LLM, _GUIDED_LLM, GuidedRecommender, GuidedConfig),
        MLLM3REC: Method(MLLM3REC, "mllm3rec_offline", MLLM3Recommender, MLLM3Config),
        **{
            name: Method(name, name, baseline.forecaster, baseline.config, baseline.options)
            for name, baseline in BASELINES.items()
        },
        ZERO_SHOT: Method(ZERO_SHOT, ZERO_SHOT, ZeroShotForecaster, ZeroShotConfig),
        **{name: Method(name, name, recommender, recommender.Config) for name, recommender in RECOMMENDERS.items()},
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


def with_language_model(name: str, llm: str) -> tuple[str, dict[str, object]]:
    """What ``--llm`` makes of a method.

    Args:
        name: A method's name.
        llm: ``none``, ``scratch``, ``local:DIRECTORY``, ``local:HUB/NAME`` or ``URL#MODEL``.

    Returns:
        The name of the method that is meant, and the settings that say which model.

    Raises:
        InvalidConfigError: If the method asks no language model, or cannot use this one.
    """
    if name == ZERO_SHOT:
        spec = parse_spec(llm)
        if spec is None:
            raise InvalidConfigError(
                f"--llm: expected 'local:DIRECTORY', 'local:HUB/NAME' or 'URL#MODEL' for {name}, which only asks, got "
                "'none'. Name a model."
            )
        return name, {"llm": f"{_TUNABLE}{_from_anywhere(spec)}" if spec.kind == "local" else llm}
    if llm == NONE:
        return name, {}
    if name in _ASKING:
        spec = parse_spec(llm)
        assert spec is not None, "none was dealt with"
        return _ASKING[name], {"llm": f"{_TUNABLE}{_from_anywhere(spec)}" if spec.kind == "local" else llm}
    if name != TRAIL:
        raise InvalidConfigError(f"--llm: expected 'none' for {name}, which asks no model, got {llm!r}. Leave it out.")
    if llm == SCRATCH:
        return _TRAIL_SCRATCH, {}
    spec = parse_spec(llm) if llm.startswith(_TUNABLE) else None
    if spec is None:
        raise InvalidConfigError(
            f"--llm: expected 'none', 'scratch', 'local:DIRECTORY' or 'local:HUB/NAME' for {name}, got {llm!r}: a "
            "model is tuned here, and one behind a server cannot be. Use its weights, or write with none."
        )
    return _TRAIL_TUNED, {"model": _from_anywhere(spec)}


def _from_anywhere(spec: ModelSpec) -> str:
    """A local model's name, or its directory as a run finds it from wherever it is asked."""
    directory = Path(spec.model).expanduser()
    return str(directory.resolve()) if directory.is_dir() else spec.model


def window_settings(settings: BaseModel) -> WindowConfig:
    """Settings of a forecaster, whose window can be asked for."""
    assert isinstance(settings, WindowConfig), "all forecasters have a window"
    return settings


def _names(*, is_recommender: bool) -> str:
    return ", ".join(name for name, method in METHODS.items() if method.is_recommender is is_recommender)
