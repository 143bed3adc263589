"""The public methods of the SDK, found by looking at it, and which of them a test run has called."""

import functools
import inspect
from typing import Any

from maximem_synap import MaximemSynapSDK

called: set[str] = set()


def interfaces() -> dict[str, type]:
    """The classes that an application reaches from the SDK object, by the path to them."""
    sdk = MaximemSynapSDK(api_key="unused", _force_new=True)
    found: dict[str, type] = {}

    def walk(path: str, thing: Any) -> None:
        found[path] = type(thing)
        for name, value in vars(thing).items():
            if not name.startswith("_") and type(value).__name__.endswith("Interface"):
                walk(f"{path}.{name}", value)

    walk("sdk", sdk)
    return found


def methods() -> dict[str, tuple[type, str]]:
    """Public methods and properties: where each one is reached, its class and its name there."""
    return {
        f"{path}.{name}": (kind, name)
        for path, kind in interfaces().items()
        for name, value in inspect.getmembers(kind)
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }


def watch() -> None:
    """From now on, remembers which of them are called. What they do does not change."""
    for path, (kind, name) in methods().items():
        setattr(kind, name, watched(path, inspect.getattr_static(kind, name)))


def watched(path: str, member: Any) -> Any:
    if isinstance(member, property):
        return property(watched(path, member.fget), member.fset, member.fdel)

    @functools.wraps(member)
    def call(*args: Any, **words: Any) -> Any:
        called.add(path)
        return member(*args, **words)

    return call
