"""Passes that light what is seen."""
