"""When to ask again: waits that double and are drawn at random, and never shorter than the server asks for."""

from anyio import Event, move_on_after
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_before_delay
from tenacity.wait import wait_random_exponential

from whyrec.llm.openai_compatible.failures import ONCE, Failure
from whyrec.llm.openai_compatible.settings import EndpointSettings

_LONGEST_WAIT_S = 60.0


def retrying(settings: EndpointSettings, *, stopping: Event) -> AsyncRetrying:
    """Repeat attempts whose result is a ``Failure`` that is worth another one; the last result is the result.

    Args:
        settings: How often and how long.
        stopping: Set when the whole run ends; waits end then.
    """
    backoff = wait_random_exponential(multiplier=settings.backoff_s, max=_LONGEST_WAIT_S)
    is_too_late = stop_before_delay(settings.deadline_s)

    def wait(state: RetryCallState) -> float:
        # Added, not the larger of the two: many who were told the same time must not come back at once.
        return _failure(state).retry_after_s + backoff(state)

    def is_over(state: RetryCallState) -> bool:
        return state.attempt_number >= min(settings.max_attempts, _failure(state).patience) or is_too_late(state)

    async def sleep(seconds: float) -> None:
        with move_on_after(seconds):
            await stopping.wait()

    return AsyncRetrying(
        retry=retry_if_result(lambda result: isinstance(result, Failure) and result.patience > ONCE),
        stop=is_over,
        wait=wait,
        sleep=sleep,
        retry_error_callback=_last_result,
    )


def _last_result(state: RetryCallState) -> object:
    assert state.outcome is not None, "the callback comes after an attempt"
    return state.outcome.result()


def _failure(state: RetryCallState) -> Failure:
    failure = _last_result(state)
    assert isinstance(failure, Failure), "only failures are waited for"
    return failure
