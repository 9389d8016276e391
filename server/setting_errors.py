"""What is wrong with the settings, in words for whoever runs the server."""

import difflib
from collections.abc import Collection

from pydantic import ValidationError
from pydantic_core import ErrorDetails

PREFIX = "CASEWIRE_"

BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most"}

PLAIN_WORDS = {
    "Value error, ": "",
    "Input should be": "expected",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
}


class SettingsError(Exception):
    """The settings are unusable. One line for each problem: the variable, then what was expected; never the value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def variable(name: str) -> str:
    return PREFIX + name.upper()


def problems(error: ValidationError, known: Collection[str]) -> list[str]:
    """One line for each cause; `known` are the names of all settings. Values are left out, they may be secrets."""
    # A default that could not be made because another setting is wrong is a consequence, not a cause.
    causes = (found for found in error.errors(include_input=False) if found["type"] != "default_factory_not_called")
    return [problem(cause, known) for cause in causes]


def problem(cause: ErrorDetails, known: Collection[str]) -> str:
    if not cause["loc"]:
        return expected(cause)
    name = str(cause["loc"][0])
    if cause["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, known, n=1)
        return f"{variable(name)}: there is no such setting" + (f"; did you mean {variable(near[0])}?" if near else "")
    return f"{variable(name)}: {expected(cause)}"


def expected(cause: ErrorDetails) -> str:
    """What would have been right. A validator of ours says so itself; pydantic's words are made plain."""
    for bound, words in BOUNDS.items():
        if bound in cause.get("ctx", {}):
            return f"expected {words} {cause['ctx'][bound]:g}"
    said = cause["msg"].split(", unable to")[0]
    for theirs, ours in PLAIN_WORDS.items():
        said = said.replace(theirs, ours)
    return said
