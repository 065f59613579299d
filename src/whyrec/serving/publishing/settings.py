"""How much is published."""

from pydantic import Field, ValidationError

from whyrec.errors import InvalidConfigError
from whyrec.runtime.strict_model import StrictModel


class PublishSettings(StrictModel):
    """Depths of boards, lists and reasons."""

    depth: int = Field(default=50, ge=1)
    """Places of a user's list."""
    explained: int = Field(default=10, ge=0)
    """Of these, so many have their reason and explanation."""
    explained_items: int = Field(default=200, ge=0)
    """Of the board of the coming window, so many items have theirs."""
    board_depth: int = Field(default=200, ge=1)
    """Places of a board."""
    newest: int = Field(default=20, ge=0)
    """Of what a user took, so much stands on their page."""
    users_at_once: int = Field(default=200, ge=1)
    """Users whose lists are made and written together."""

    @classmethod
    def checked(cls, **values: int) -> "PublishSettings":
        """Settings as a person gave them.

        Raises:
            InvalidConfigError: If one is out of range.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]).replace("_", "-")
            raise InvalidConfigError(
                f"--{name}: expected {first['msg'].removeprefix('Input should be ')}, got {first['input']!r}. Choose "
                "another."
            ) from error
