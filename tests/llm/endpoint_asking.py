"""Short words for tests that ask a ``FaultyServer``."""

import threading

from faulty_server import FaultyServer

from whyrec.llm.base import Completion, Prompt
from whyrec.llm.model import LanguageModel
from whyrec.llm.openai_compatible.backend import OpenAIBackend
from whyrec.llm.openai_compatible.settings import EndpointSettings


def backend_of(server: FaultyServer, **settings: object) -> OpenAIBackend:
    given = {"base_url": server.base_url, "model": "m", "backoff_s": 0.01} | settings
    return OpenAIBackend(settings=EndpointSettings.model_validate(given))


def model_of(server: FaultyServer, **settings: object) -> LanguageModel:
    return LanguageModel(backend_of(server, **settings))


def ask(server: FaultyServer, **settings: object) -> Completion:
    return model_of(server, **settings).complete([Prompt.of("hello")])[0]


def prompts(n: int) -> list[Prompt]:
    return [Prompt.of(f"p{number}") for number in range(n)]


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}
