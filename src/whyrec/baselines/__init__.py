"""Forecasters and recommenders to be measured against: simple ones, and published ones."""
