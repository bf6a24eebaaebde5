"""Settings as a TOML file: a line a setting, and a table a group, to be edited by hand."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.post.lut import Lut
from vkforge.scene.checks import file_path
from vkforge.settings import Settings

_HEAD = "# Settings of a vkforge render. What is left out, or taken out, is as it is by default.\n\n"


def save_settings(settings: Settings, path: str | os.PathLike[str]) -> Path:
    """Write settings as TOML; the file appears whole or not at all.

    Raises:
        InputError: a setting that TOML has no words for: a table that was not read from a file, an array.
        OutputError: the file can't be written.
    """
    from vkforge.io.atomic import replacing

    target = file_path(path)
    try:
        content = (_HEAD + _dumps(_table(settings, target.parent))).encode()
    except UnicodeEncodeError:
        raise InputError("the lut's path is no Unicode text, which a TOML file is; rename the file") from None
    with replacing(target) as stream:
        stream.write(content)
    return target


def load_settings(path: str | os.PathLike[str]) -> Settings:
    """Read settings from TOML.

    Raises:
        InputError: no such file, no TOML, a setting that there is not, or a value that it can't have.
    """
    source = file_path(path)
    try:
        table = tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"can't read the settings {source}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # bad TOML, bad UTF-8, numbers and nests that Python won't read
        raise InputError(f"{str(source)!r} is not TOML: {error}") from None
    try:
        return _record(Settings, table, "", source.parent)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _dumps(table: dict[str, Any], where: str = "") -> str:
    """Return TOML: a line a value, then the groups, each under its name."""
    lines = [f"{name} = {_text(value)}" for name, value in table.items() if not isinstance(value, dict)]
    groups = [
        f"\n[{where}{name}]\n{_dumps(group, f'{where}{name}.')}"
        for name, group in table.items()
        if isinstance(group, dict)
    ]
    return "".join(f"{line}\n" for line in lines) + "".join(groups)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    # JSON's strings and words for truth are TOML's, but for DEL; a float's repr is, too, infinity included.
    if isinstance(value, (str, bool)):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _table(record: Any, folder: Path) -> dict[str, Any]:
    """Return what a record holds as TOML has it, groups last; None is left out."""
    plain, groups = dict[str, Any](), dict[str, Any]()
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Lut):
            if value.path is None:
                raise InputError("the lut was not read from a file: save it (Lut.save) and open it (Lut.open) first")
            relative = os.path.relpath(os.path.abspath(value.path), os.path.abspath(folder))
            groups[field.name] = {"path": relative, "space": value.space}
        elif dataclasses.is_dataclass(value):
            kind = {"type": type(value).__name__} if len(_candidates(field)) > 1 else {}
            groups[field.name] = {**kind, **_table(value, folder)}
        elif value is not None:
            plain[field.name] = _value(field.name, value)
    return {**plain, **groups}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(name, part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, (bool, int, float, str)):
        raise InputError(f"{name} is {type(value).__name__}, which a TOML file has no words for")
    return value


def _record(cls: type, table: dict[str, Any], where: str, folder: Path) -> Any:
    """Make a record of a table; `where` is its name in the file and a dot, or nothing for the settings themselves."""
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    values = {}
    for name, value in table.items():
        if name not in fields:
            known = ", ".join(fields)
            raise InputError(f"no setting called {where + name!r}{suggest(name, fields)} (there are {known})")
        if isinstance(value, dict):
            values[name] = _group(fields[name], value, f"{where}{name}.", folder)
        else:
            values[name] = _tuples(value)
    for name, field in fields.items():
        if name not in values and field.default is dataclasses.MISSING:
            raise InputError(f"[{where.rstrip('.')}] has no {name}, which it can't do without")
    return cls(**values)


def _group(field: Any, table: dict[str, Any], where: str, folder: Path) -> Any:
    candidates = {cls.__name__: cls for cls in _candidates(field)}
    name = where.rstrip(".")
    if not candidates:
        raise InputError(f"[{name}] is a table; {name} is one value")
    if len(candidates) > 1:
        table = dict(table)
        kind = table.pop("type", None)
        if not isinstance(kind, str) or kind not in candidates:
            given = "no type" if kind is None else f"type {kind!r}"
            raise InputError(f"[{name}] has {given}; wanted one of {', '.join(map(repr, candidates))}")
        return _record(candidates[kind], table, where, folder)
    (cls,) = candidates.values()
    if cls is Lut:
        for key in table:
            if key not in ("path", "space"):
                raise InputError(f"no setting called {where + key!r}{suggest(key, ('path', 'space'))}")
        if not isinstance(table.get("path"), str):
            raise InputError(f"[{name}] has no path; wanted that of a .cube file")
        return Lut.open(folder / table["path"], table.get("space", "display"))
    return _record(cls, table, where, folder)


def _candidates(field: Any) -> list[Any]:
    """Return the records that a field may hold: the public classes that its annotation names."""
    import vkforge

    names = [name for name in re.findall(r"\w+", field.type) if name in vkforge.__all__]
    classes = [getattr(vkforge, name) for name in names]
    return [cls for cls in classes if dataclasses.is_dataclass(cls) or cls is Lut]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
