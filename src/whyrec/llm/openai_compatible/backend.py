"""``OpenAIBackend``: asks a server that speaks the OpenAI chat API, many prompts at once, patiently."""

import json
from collections.abc import Generator, Sequence

from pydantic import SecretStr

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import Answer, ModelIdentity, Prompt, SamplingConfig, require_room
from whyrec.llm.openai_compatible.credentials import blotted_record, require_usable_key
from whyrec.llm.openai_compatible.settings import EndpointSettings, host_of, require_sound
from whyrec.llm.structured import OutputSchema
from whyrec.runtime.extras import require_extra


class OpenAIBackend:
    """A model behind an OpenAI-compatible server.

    The server is asked for the schema where it takes one, but nobody is trusted: ``LanguageModel`` checks what comes
    back, and an answer between code fences is a failure like any other.
    """

    def __init__(self, settings: EndpointSettings, *, api_key: SecretStr | None = None) -> None:
        """Take a server; nothing is asked yet.

        Args:
            settings: Where it is and what it runs.
            api_key: None for a server that needs none. See ``credentials.api_key_from_environment``.

        Raises:
            InvalidConfigError: If the address or the key cannot be one, or the extra fields contradict the rest.
            MissingExtraError: If the libraries for it are not installed.
        """
        require_extra("api", "anyio", "httpx", "tenacity")
        # Here, not above: the libraries may be absent, and they would slow every command down.
        from whyrec.llm.openai_compatible.dialect import Dialect
        from whyrec.llm.openai_compatible.exchange import ServerState

        require_sound(settings)
        if api_key is not None:
            require_usable_key(api_key)
            _require_secret(settings, api_key)
        self.settings = settings
        self._key = api_key
        self._state = ServerState(dialect=Dialect(native_schema=settings.structured != "prompt"))

    @property
    def identity(self) -> ModelIdentity:
        """Model and revision as the settings say; the server's host name without port, and what else shapes answers."""
        settings = self.settings
        options = {"endpoint": host_of(settings.base_url), "structured": settings.structured}
        if settings.extra_body:
            options["extra_body"] = json.dumps(dict(settings.extra_body), sort_keys=True, separators=(",", ":"))
        return ModelIdentity("openai_compatible", settings.model, settings.revision, options=options)

    @property
    def context_tokens(self) -> int | None:
        """The limit that the settings give; servers do not tell theirs."""
        return self.settings.context_tokens

    @property
    def at_once(self) -> int:
        """As many as may be in flight."""
        return self.settings.concurrency

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """Estimate the length of each prompt: a quarter of its bytes and a few tokens for each message."""
        from whyrec.llm.openai_compatible.wire import estimated_prompt_tokens

        return [estimated_prompt_tokens(prompt.messages) for prompt in prompts]

    def answer(
        self, prompts: Sequence[Prompt], *, schema: OutputSchema | None, sampling: SamplingConfig
    ) -> Generator[tuple[int, Answer], None, None]:
        """Answer prompts, each as soon as it is done, with its position in ``prompts``; any order.

        Closing the iterator early cancels what is in flight.

        Raises:
            PromptTooLongError: If by the estimate a prompt leaves no room, before anything is asked; or if the server
                says so.
            EndpointError: When a prompt fails for good. What was in flight has then been yielded.
        """
        from whyrec.llm.openai_compatible.crew import Crew

        require_room(self.count_tokens(prompts), context_tokens=self.context_tokens, max_tokens=sampling.max_tokens)
        if not prompts:
            return
        crew = Crew(prompts, settings=self.settings, key=self._key, state=self._state, schema=schema, sampling=sampling)
        yield from crew.answers()


def _require_secret(settings: EndpointSettings, key: SecretStr) -> None:
    """The settings are written down with every run, so the key must not stand in them."""
    texts = (settings.base_url, settings.model, settings.revision, json.dumps(dict(settings.extra_body)))
    if any(blotted_record(text, key) != text for text in texts):
        raise InvalidConfigError(
            "endpoint settings: expected no API key among them, got it in a field (not shown). "
            "Remove it there; it is sent by itself."
        )
