"""Passes for what is in the air."""
