"""A subscription handed to graphql-core half-way: the same operation, which begins after the place it has come to."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    SelectionSetNode,
    VariableNode,
    get_operation_ast,
    parse,
)

AFTER = "after"


class Unplannable(Exception):
    """An event that only graphql-core can tell comes after the place `after`."""

    def __init__(self, after: str) -> None:
        super().__init__(after)
        self.after = after


def resumed(
    query: str, operation_name: str | None, variables: Mapping[str, Any], after: str
) -> tuple[str, dict[str, Any]]:
    """The text and the variables of a subscription whose root field takes the place as its `after`.

    Where the client gave it by a variable, that has another value; otherwise the text gets an argument. The variable
    may be used elsewhere in the operation too; for pages below an event a stream's place means nothing.
    """
    document = parse(query)
    operation = get_operation_ast(document, operation_name)
    assert operation is not None, "it has been executed already"
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    edits: dict[tuple[int, int], str] = {}
    for field in _root_fields(operation.selection_set, fragments):
        arguments = field.arguments or ()
        given = next((argument.value for argument in arguments if argument.name.value == AFTER), None)
        if isinstance(given, VariableNode):
            return query, {**variables, given.name.value: after}
        if given is not None:
            edits[_span(given)] = f'"{after}"'
        elif arguments:
            edits[_span(arguments[0])[0], _span(arguments[0])[0]] = f'{AFTER}: "{after}", '
        else:
            edits[_span(field.name)[1], _span(field.name)[1]] = f'({AFTER}: "{after}")'
    for (start, end), text in sorted(edits.items(), reverse=True):
        query = query[:start] + text + query[end:]
    return query, dict(variables)


def _span(node: Node) -> tuple[int, int]:
    assert node.loc is not None, "parsed with places"
    return node.loc.start, node.loc.end


def _root_fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """The occurrences of the root field: a subscription has one, which may be written several times."""
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _root_fields(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _root_fields(fragments[node.name.value].selection_set, fragments)
