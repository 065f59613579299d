"""Serving: published lists with their reasons, over HTTP."""
