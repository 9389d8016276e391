"""What the code says to people, found where it stands: every `Text("…")` and `Text.counted("…", "…")` of ours."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from tests.test_layers import MAY_IMPORT, modules

HOME = "domain/words/__init__.py"


@dataclass(frozen=True, slots=True)
class Said:
    """One text in the code; `given` are the values it gets there, None where that cannot be seen."""

    where: str
    context: str | None
    english: tuple[str, ...]
    given: frozenset[str] | None

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.english[0]


class Unreadable(Exception):
    """A text that is not written out where it stands cannot be translated."""


def said_in(root: Path) -> Iterator[Said]:
    """
    Raises:
        Unreadable: a text is put together, or is a variable.
    """
    for package in MAY_IMPORT:
        for where, tree in modules(root, package):
            if where != HOME and speaks(tree):
                for node in ast.walk(tree):
                    if isinstance(node, ast.Call):
                        yield from _said(node, where)


def speaks(tree: ast.Module) -> bool:
    """Whether a module imports what texts are made of: others have a `Text` too."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(
        f"{each.module}.{name.name}" in ("domain.words.Text", "domain.words") for each in imports for name in each.names
    )


def _said(call: ast.Call, where: str) -> Iterator[Said]:
    name = ast.unparse(call.func).split(".")
    if name[-2:] == ["Text", "counted"]:
        yield _read(call, where, 2)
    elif name[-1] == "Text":
        yield _read(call, where, 1)


def _read(call: ast.Call, where: str, forms: int) -> Said:
    english = tuple(each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str))
    keywords = {each.arg: each.value for each in call.keywords}
    context = keywords.pop("context", None)
    if len(english) != forms or not (context is None or isinstance(context, ast.Constant)):
        raise Unreadable(f"{where}:{call.lineno}: {ast.unparse(call)}")
    given = None if None in keywords else frozenset(name for name in keywords if name)
    return Said(f"{where}:{call.lineno}", context.value if context else None, english, given)


def names_in(text: str) -> list[str]:
    """The placeholders of a text, as they are written between the braces."""
    found = []
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None:
            found.append(name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else ""))
    return found
