"""Passes after light: what a lens, a film and a screen do."""
