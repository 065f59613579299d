"""The HTTP API over a store of published documents, and over models that are held open."""

from whyrec.serving.api.app import create_app
from whyrec.serving.api.settings import LOOPBACK, ApiSettings

__all__ = ["LOOPBACK", "ApiSettings", "create_app"]
