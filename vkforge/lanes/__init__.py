"""Lanes: interchangeable strategies that turn a scene into a G-buffer and light. Today there is one, `lit`."""
