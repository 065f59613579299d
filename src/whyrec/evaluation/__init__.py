"""Judges lists, forecasts and explanations; never knows which method made them."""
