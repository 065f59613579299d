"""PARE: popularity of the coming window from history, time since release, season and side information."""
