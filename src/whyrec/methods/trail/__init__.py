"""TRAIL: forecasts of popularity by a tuned language model, each with an explanation that is verified."""
