"""Fitted runs made into documents that are served: boards, lists with reasons, items, users."""

from whyrec.serving.publishing.publish import Published, publish_runs
from whyrec.serving.publishing.settings import PublishSettings

__all__ = ["PublishSettings", "Published", "publish_runs"]
