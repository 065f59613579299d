"""Datasets: read, check, filter, window and split interaction logs and item catalogues."""
