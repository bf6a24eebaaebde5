"""Passes that make and look up the tables of a physical sky."""
