"""From what a user writes after ``--llm`` to a ``LanguageModel``: ``local:PATH``, ``local:NAME`` or ``URL#MODEL``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import Backend
from whyrec.llm.cache import default_cache_path, open_cache
from whyrec.llm.model import LanguageModel
from whyrec.llm.usage import FREE, Price
from whyrec.runtime.config import validated
from whyrec.runtime.extras import require_extra

NONE = "none"
_LOCAL = "local:"
_FORMS = "'none', 'local:DIRECTORY', 'local:HUB/NAME' or 'http(s)://HOST/v1#MODEL'"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model, before anything is loaded or reached."""

    kind: str
    """``local`` or ``openai_compatible``."""
    model: str
    base_url: str | None = None


def parse_spec(text: str) -> ModelSpec | None:
    """Read ``--llm``.

    Returns:
        Which model, or None for ``none``.

    Raises:
        InvalidConfigError: If it has none of the known forms.
    """
    if text == NONE:
        return None
    if text.startswith(_LOCAL) and len(text) > len(_LOCAL):
        return ModelSpec("local", text.removeprefix(_LOCAL))
    if text.startswith(("http://", "https://")):
        url, sign, model = text.partition("#")
        if sign and model:
            return ModelSpec("openai_compatible", model, base_url=url)
        raise InvalidConfigError(f"--llm: expected URL#MODEL, got {text!r} without a model. Name it after a '#'.")
    raise InvalidConfigError(f"--llm: expected {_FORMS}, got {text!r}. Write one of these.")


def open_model(
    spec: ModelSpec,
    *,
    settings: Mapping[str, object] | None = None,
    cache: Path | None,
    price: Price | None = None,
    api_key: SecretStr | None = None,
) -> LanguageModel:
    """Load or connect to a model and put the cache before it.

    Args:
        spec: Which.
        settings: Of its backend: the fields of ``LocalSettings`` or ``EndpointSettings``.
        cache: The file of completions; None keeps nothing.
        price: What tokens cost; a local model is free.
        api_key: For an endpoint that wants one.

    Raises:
        MissingExtraError: If the backend's libraries are not installed.
        InvalidModelError: If there is no such model.
        InvalidConfigError: If a setting is unknown or out of range.
    """
    backend = _backend(spec, dict(settings or {}), api_key=api_key)
    return LanguageModel(
        backend,
        cache=open_cache(cache) if cache is not None else None,
        price=FREE if price is None and spec.kind == "local" else price,
    )


def configured_model(llm: str | None, *, cache: Path | None, api_key_variable: str) -> LanguageModel | None:
    """Open the language model that a method's settings name; None where they name none.

    Args:
        llm: As ``parse_spec`` reads it.
        cache: The file of completions; None for the one in the user's data directory.
        api_key_variable: The environment variable that holds a server's key.

    Raises:
        InvalidConfigError: If the name has none of the known forms.
        InvalidModelError: If there is no such model.
        MissingExtraError: If the backend's libraries are not installed.
    """
    spec = None if llm is None else parse_spec(llm)
    if spec is None:
        return None
    key = None
    if spec.kind != "local":
        from whyrec.llm.openai_compatible.credentials import api_key_from_environment

        key = api_key_from_environment(api_key_variable)
    return open_model(spec, cache=cache or default_cache_path(), api_key=key)


def _backend(spec: ModelSpec, settings: dict[str, object], *, api_key: SecretStr | None) -> Backend:
    # Backends load heavy libraries, so that each is imported only when it is chosen.
    if spec.kind == "local":
        require_extra("llm", "transformers", "peft", "xgrammar", "jsonschema")
        from whyrec.llm.local import LocalBackend, LocalSettings

        return LocalBackend.open(spec.model, settings=validated(LocalSettings, settings, where="--llm-set"))
    require_extra("api", "httpx", "tenacity", "jsonschema")
    from whyrec.llm.openai_compatible.backend import OpenAIBackend
    from whyrec.llm.openai_compatible.settings import EndpointSettings

    for name in ("base_url", "model"):
        if name in settings:
            raise InvalidConfigError(f"--llm-set: expected {name!r} in --llm, got it here. Write --llm URL#MODEL.")
    named = {"base_url": spec.base_url, "model": spec.model}
    return OpenAIBackend(validated(EndpointSettings, settings | named, where="--llm-set"), api_key=api_key)
