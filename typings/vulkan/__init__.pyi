"""The binding has no types, and inferring them took pyright 25 seconds: everything in it is `Any`."""

from typing import Any

def __getattr__(name: str) -> Any: ...
