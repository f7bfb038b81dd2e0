"""From layers of options to the settings in force: the command line over the configuration file over the defaults."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import msgspec

from mplint.apis import Alias, Api, Kind, Place, Role, Verb
from mplint.config.files import A_VERSION, find_project, in_words, nearest, parse_options, parse_toml, read_options, requires_python
from mplint.config.options import Options, key_of
from mplint.config.settings import ConfigError, Row, Selection, Settings

_PATHS = ("src", "cache_dir", "python", "baseline")
_SELECTORS = ("select", "extend_select", "ignore")


class Layer(msgspec.Struct, frozen=True):
    """Options of one origin; relative paths in them are relative to `base`."""

    options: Options
    origin: str
    base: str


def load(
    directory: str,
    *,
    command_line: Options | None = None,
    config: tuple[str, ...] = (),
    isolated: bool = False,
    environment: Mapping[str, str] | None = None,
    single_file: bool = False,
) -> Settings:
    """The settings for paths whose nearest common directory is `directory` (absolute).

    `config` are the values of `--config`: one file in place of the one that would be found, and `key = value` lines over it.
    `isolated` reads no file and takes `directory` for the root.  `single_file` tells that one file and no directory was named.
    Raises ConfigError.
    """
    here = os.getcwd()
    root: str | None = None
    file: str | None = None
    if not isolated:
        root, file = find_project(directory)
    layers: list[Layer] = []
    overrides: list[Layer] = []
    for text in config:
        if re.match(r"\s*[\w-]+\s*=", text) and not os.path.exists(text):
            overrides.append(_inline(text, here))
        elif isolated:
            raise ConfigError(f"--config {text}: --isolated reads no configuration file")
        elif not os.path.isfile(text):
            raise ConfigError(f"--config {text}: no such file")
        else:
            file = os.path.abspath(text)
    if file is not None:
        layers.append(Layer(read_options(file), file, root or directory))
    layers.extend(overrides)
    if command_line is not None:
        layers.append(Layer(command_line, "command line", here))
    return _merge(
        layers,
        Settings(root=root or directory, config_file=file, isolated=isolated, packages_only=root is None and single_file and not isolated),
        os.environ if environment is None else environment,
    )


def _inline(text: str, here: str) -> Layer:
    origin = f"--config {text!r}"
    return Layer(parse_options(parse_toml(text, origin), origin), origin, here)


def _merge(layers: list[Layer], settings: Settings, environment: Mapping[str, str]) -> Settings:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    selection: list[Selection] = []
    for layer in layers:
        given: dict[str, Any] = dict(layer.options.given())
        for name, value in given.items():
            origins[key_of(name)] = layer.origin
            if name in _PATHS:
                values[name] = _paths(value, layer, key_of(name))
            elif name == "per_file_ignores":
                values[name] = tuple((_patterns((k,), layer, settings.root)[0], v) for k, v in dict(value).items())
            elif name == "target_version":
                values[name] = version_of(str(value), layer.origin)
            elif name == "timeout":
                values[name], values["timeout_is_own"] = _timeout(value, layer.origin), True
            elif name == "api":
                values[name] = tuple(_row(row, f"{layer.origin}: `api[{n}]`") for n, row in enumerate(value))
            elif name == "required_version":
                _check_version(str(value), layer.origin)
                values[name] = value
            elif name == "exclude":
                values[name] = _patterns(value, layer, settings.root)
            elif name == "extend_exclude":
                values[name] = (*values.get(name, ()), *_patterns(value, layer, settings.root))
            elif name not in _SELECTORS:
                values[name] = value
        if any(name in given for name in _SELECTORS):
            chosen = given.get("select")
            selection.append(Selection(layer.origin, chosen, given.get("extend_select", ()), given.get("ignore", ())))
    if "target_version" not in values and not settings.isolated:
        declared = requires_python(settings.root)
        if declared is not None:
            values["target_version"], origins["target-version"] = declared
    if "python" not in values and not settings.isolated:
        found = _environment(settings.root, environment)
        if found is not None:
            values["python"], origins["python"] = found
    return msgspec.structs.replace(settings, selection=tuple(selection), origins=origins, **values)


def _paths(value: object, layer: Layer, key: str) -> object:
    if isinstance(value, tuple):
        return tuple(_paths(item, layer, key) for item in value)
    path = os.path.normpath(os.path.join(layer.base, os.path.expanduser(str(value))))
    if key in {"src", "python"} and not os.path.exists(path):
        raise ConfigError(f"{layer.origin}: `{key}`: {path} does not exist")
    return path


def _patterns(value: Iterable[str], layer: Layer, root: str) -> tuple[str, ...]:
    """Patterns relative to the root.  One with a slash in it is a place, seen from where it was written."""
    found = []
    for pattern in value:
        turned, plain = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
        if "/" in plain.rstrip("/") and not plain.startswith("**/") and (layer.base != root or os.path.isabs(plain)):
            place = os.path.relpath(os.path.join(layer.base, plain), root).replace(os.sep, "/")
            plain = plain if place.startswith("../") else f"/{place}" + "/" * plain.endswith("/")
        found.append(turned + (plain[1:] if plain.startswith("./") else plain))
    return tuple(found)


def version_of(text: str, origin: str) -> tuple[int, int]:
    """(3, 12) of "3.12" or "py312".  Raises ConfigError."""
    found = re.fullmatch(r"(?:py3|3\.)(\d{1,2})", text)
    if found is None:
        raise ConfigError(f"{origin}: `target-version`: {A_VERSION}, got {text!r}")
    return 3, int(found[1])


def _timeout(value: object, origin: str) -> str:
    if isinstance(value, str):
        try:
            ast.parse(value.strip(), mode="eval")
        except (SyntaxError, ValueError):
            raise ConfigError(f"{origin}: `timeout`: {value!r} is not a Python expression") from None
        return value.strip()
    if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ConfigError(f"{origin}: `timeout`: expected a number of seconds above 0")
    return repr(value)


def _check_version(specifiers: str, origin: str) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from mplint import __version__

    try:
        wanted = SpecifierSet(specifiers if re.match(r"\s*[<>=!~]", specifiers) else f"=={specifiers}")
    except InvalidSpecifier:
        raise ConfigError(f"{origin}: `required-version`: {specifiers!r} is no version specifier") from None
    if not wanted.contains(__version__, prereleases=True):
        raise ConfigError(f"{origin}: `required-version` is {specifiers}, this is mplint {__version__}")


def _environment(root: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    active = environment.get("VIRTUAL_ENV")
    if active and "PRE_COMMIT" not in environment and os.path.isdir(active):
        return os.path.abspath(active), "environment variable VIRTUAL_ENV"
    for name in (".venv", "venv"):
        path = os.path.join(root, name)
        if os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            return path, f"{name} in the project"
    return None


_PARAMETERS = frozenset({
    "callee", "initializer", "initargs", "timeout", "executor", "context", "passes", "arguments", "keywords", "method_at",
})  # fmt: skip


def _row(row: Mapping[str, object], origin: str) -> Row:
    """One row of `[[tool.mplint.api]]`: a kind (it has a `role`), an alias (`same-as`), else a callable."""
    table = {key.replace("-", "_"): value for key, value in row.items()}
    cls: type[Kind | Alias | Api] = Kind if "role" in table else Alias if "same_as" in table else Api
    for key in table:
        if key not in cls.__struct_fields__:
            words = [*Kind.__struct_fields__, *Api.__struct_fields__, *Alias.__struct_fields__]
            raise ConfigError(f"{origin}: unknown column `{key}`{nearest(key, words)}")
    try:
        if cls is Alias:
            return Alias(**msgspec.convert(table, dict[str, str]))
        for key in _PARAMETERS & table.keys():
            table[key] = _parameter(table[key])
        callbacks = table.get("callbacks")
        if isinstance(callbacks, (list, tuple)):
            table["callbacks"] = [_parameter(item) for item in callbacks]
        return msgspec.convert(table, cls)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"{origin}: {_about_column(str(error))}") from None


_WORDS: dict[str, tuple[str, ...]] = {"does": get_args(Verb), "role": get_args(Role), "where": get_args(Place)}


def _about_column(error: str) -> str:
    """What msgspec says of a row, in the words of the table."""
    reason, _, place = error.partition(" - at `$.")
    column = place.rstrip("`")
    name = column.partition("[")[0]
    if reason.startswith("Invalid enum value ") and name in _WORDS:
        word = reason.removeprefix("Invalid enum value ").strip("'")
        return f"`{column}`: {word!r} is no word for this{nearest(word, _WORDS[name])}; there are {', '.join(filter(None, _WORDS[name]))}"
    if name in _PARAMETERS or name == "callbacks":
        return f'`{name}`: expected a position, a keyword or both, such as 0, "task" or [0, "task"]'
    return f"`{column}`: {in_words(reason)}" if column else in_words(reason)


def _parameter(value: object) -> object:
    """A parameter as people write it: a position, a keyword, both in a list or in a table."""
    if isinstance(value, int):
        return [value]
    if isinstance(value, str):
        return [None, value]
    if isinstance(value, dict):
        return [value.get("position"), value.get("keyword", "")]
    return value
