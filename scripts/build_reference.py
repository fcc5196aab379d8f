"""The pages of the documentation that are made from the code whenever the site is built (a hook in mkdocs.yml), so that they cannot
say anything else than it does."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

_RELATIVE = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>\.\./[^)#]+)(?:#[^)]*)?\)")


def commands() -> str:
    """Every command with its arguments and options, as the program itself has them."""
    import typer.main

    from matcher.cli.app import app

    lines = [
        "# Commands, as the program has them",
        "",
        "Made from the code. In our words, with examples: [the command line](../cli.md).",
        "",
    ]
    for path, command in sorted(_leaves(typer.main.get_command(app), ())):
        lines += [f"## matcher {' '.join(path)}", "", " ".join((command.help or "").split()), "", "| | default | |", "|---|---|---|"]
        lines += [f"| {' | '.join(_parameter(one))} |" for one in command.params if one.name != "help"]
        lines.append("")
    return "\n".join(lines)


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from _leaves(inner, (*path, name))


def _parameter(one: Any) -> tuple[str, str, str]:
    argument = one.param_type_name == "argument"
    name = f"`{one.metavar or one.name.upper()}`" if argument else ", ".join(f"`{text}`" for text in (*one.opts, *one.secondary_opts))
    default = "(required)" if one.required else "" if one.default in (None, False, ()) or argument else f"`{one.default}`"
    return name, default, " ".join((one.help or "").split()).replace("|", "\\|")


def library() -> str:
    """Every public name, where it is defined; the site fills in signature and description."""
    import matcher

    lines = ["# Library", "", "What `import matcher` offers, made from the code. All else is internal and may change.", ""]
    for name in sorted(matcher.__all__, key=str.casefold):
        if name == "__version__":
            continue
        found = getattr(matcher, name)
        home = getattr(found, "__module__", None) if callable(found) or isinstance(found, type) else None
        if home and home.startswith("matcher"):
            lines += [f"::: {home}.{found.__name__}", ""]
        else:
            lines += [f"## {name}", "", f"`matcher.{name} = {found!r}`", ""]
    return "\n".join(lines)


def on_files(files: Any, config: Any) -> Any:
    """Hook of mkdocs: the pages join the others, made anew with every build."""
    from mkdocs.structure.files import File

    for path, content in pages().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Hook of mkdocs: a link to a file of the repository that is no page names the file instead."""

    def named(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), link["target"]))
        return f"{link['text']} (`{target.removeprefix('../')}`)" if target.startswith("../") else link[0]

    return _RELATIVE.sub(named, markdown)


def pages() -> dict[str, str]:
    """Path below docs/ and text of every page that is made from the code."""
    return {"reference/commands.md": commands(), "reference/library.md": library()}
