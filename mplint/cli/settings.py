"""Answers about the configuration: what is in force and why, and which files would be checked."""

from __future__ import annotations

import os
import sys

from mplint.cli import FAILED, FINE
from mplint.cli.inputs import read_input, settings_for, tell_paths
from mplint.cli.words import Request
from mplint.config import Settings
from mplint.config.options import Options, key_of
from mplint.config.selectors import choose
from mplint.registry import registry
from mplint.source.discover import discover, grouped


def answer(asked: Request) -> int:
    """`--show-settings` and `--show-files`."""
    given = read_input(asked)
    failed = False
    for group in grouped(given.paths):
        settings = settings_for(asked, group)
        found = discover(group, settings, unsaved=given.overlays)
        failed = tell_paths(found) or failed
        if asked.show_files:
            sys.stdout.flush()
            sys.stdout.buffer.writelines(os.fsencode(path) + b"\n" for path in found.given)
            sys.stdout.buffer.flush()
        if asked.show_settings:
            print("\n".join(_lines(settings)))
    return FAILED if failed else FINE


def _lines(settings: Settings) -> list[str]:
    """TOML of everything that is in force; behind each value, where it came from."""
    lines = [f"# project: {settings.root}", f"# configuration: {settings.config_file or 'none'}", ""]
    for name in Options.__struct_fields__:
        key = key_of(name)
        if name in {"select", "extend_select", "ignore"}:
            continue
        value: object = getattr(settings, name)
        if name == "target_version":
            value = "{}.{}".format(*settings.target_version)
        elif name == "timeout":
            value = settings.timeout
        elif name == "per_file_ignores":
            value = dict(settings.per_file_ignores)
        elif name == "api":
            value = [row.name for row in settings.api]
        origin = settings.origins.get(key, "default")
        lines.append(f"{key} = {_toml(value)}  # {_short(origin)}" if value is not None else f"# {key} is not set")
    for layer in settings.selection:
        for key, words in (("select", layer.select), ("extend-select", layer.extend_select), ("ignore", layer.ignore)):
            if words:
                lines.append(f"{key} = {_toml(words)}  # {_short(layer.origin)}")
    rules = registry().all
    chosen = choose(settings, rules)
    lines += ["", "# rules that run:"]
    lines += [f"#   {rule.code} {rule.name}" for rule in rules if rule.code in chosen.codes]
    return lines + [f"# warning: {remark}" for remark in chosen.remarks]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _short(origin: str) -> str:
    here = os.path.join(os.getcwd(), "")
    return origin.replace(here, "")
