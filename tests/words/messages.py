"""What the code says to people, found where it stands: every `Text("…")`, `Text.counted("…", "…")` and refusal."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from domain import errors
from tests.test_layers import MAY_IMPORT, modules

HOME = "domain/words/__init__.py"
"""Where a text is a variable."""

ENGLISH_ONLY = ("server/importers/", "server/commands/")
"""The command line, which speaks to whoever runs the server."""

REFUSALS = {
    "PagingError": 1,
    "check": 3,
    "_kept_from": 2,
    "_private": 1,
    **{
        name: 0
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.DomainError) and each is not errors.NotFound
    },
}
"""What makes a refusal, and which of its arguments is the text."""

BESIDE = ("field",)
"""Arguments of a refusal that are no values of its text."""


@dataclass(frozen=True, slots=True)
class Said:
    """One text in the code; `given` are the values it gets there, None where that cannot be seen, or is for later."""

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
            if where != HOME and not where.startswith(ENGLISH_ONLY):
                speaking = speaks(tree)
                for node in ast.walk(tree):
                    if isinstance(node, ast.Call):
                        yield from _said(node, where, speaking)


def speaks(tree: ast.Module) -> bool:
    """Whether a module imports what texts are made of: others have a `Text` too."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(
        f"{each.module}.{name.name}" in ("domain.words.Text", "domain.words") for each in imports for name in each.names
    )


def _said(call: ast.Call, where: str, speaking: bool) -> Iterator[Said]:
    name = ast.unparse(call.func).split(".")
    if speaking and (name[-2:] == ["Text", "counted"] or name[-1] == "Text"):
        yield _read(call, where, call.args)
    elif name[-1] in REFUSALS and call.args:
        said = call.args[REFUSALS[name[-1]] :][:1]
        if said and isinstance(said[0], ast.Constant | ast.JoinedStr | ast.BinOp):
            yield _read(call, where, said, given_here=True)


def _read(call: ast.Call, where: str, said: Sequence[ast.expr], *, given_here: bool = False) -> Said:
    """`given_here`: there is no later moment at which values could be given."""
    english = tuple(each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str))
    keywords = {each.arg: each.value for each in call.keywords if each.arg not in BESIDE}
    context = keywords.pop("context", None)
    if len(english) != len(said) or not said or not (context is None or isinstance(context, ast.Constant)):
        raise Unreadable(f"{where}:{call.lineno}: {ast.unparse(call)}")
    given = frozenset(name for name in keywords if name)
    complete = None not in keywords and (given_here or bool(given))
    return Said(f"{where}:{call.lineno}", context.value if context else None, english, given if complete else None)


def names_in(text: str) -> list[str]:
    """The placeholders of a text, as they are written between the braces."""
    found = []
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None:
            found.append(name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else ""))
    return found
