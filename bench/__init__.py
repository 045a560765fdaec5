"""Measurements beside the peers; `python -m bench`."""
