"""Passes that see the heightfield."""
