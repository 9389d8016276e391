"""How much one client may ask for at a time. Every figure is refused with code LIMIT_EXCEEDED and what was reached."""

from dataclasses import dataclass

from graphql import GraphQLError

CEILING = 1_000_000_000
"""Sums stop growing here: fifty fragments that each spread the next one twice come to no number worth reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes are per operation unless the name says otherwise; times are seconds."""

    max_body_bytes: int = 1_000_000
    max_tokens: int = 2_000
    """Of the document's text, comments included. It comes first: parsing and all later checks are linear in it."""
    max_depth: int = 12
    """Fields inside fields. Introspection is not counted: its own query is deeper, and a standard rule bounds it."""
    max_cost: int = 10_000
    """Objects that the answer may hold, if every page asked for is full. Scalars are free."""
    max_selections: int = 2_000
    """Fields and fragment spreads, after every fragment is written out where it is spread."""
    max_root_fields: int = 20
    max_repeated_fields: int = 100
    """Times that an object field stands beside another of its name. Checking that they can be merged is quadratic."""
    max_input_objects: int = 200
    """Objects and lists inside of the variables. Each is made an object of ours, whatever the resolver then says."""
    max_page_size: int = 100
    assumed_list_length: int = 10
    """What a list that takes no `first` or `last` is counted as."""

    operation_timeout: float = 15.0
    """Of a query or a mutation. A subscription has no end."""
    body_timeout: float = 10.0
    init_timeout: float = 5.0
    """From opening a socket to its `connection_init`."""

    max_operations_per_socket: int = 100
    max_sockets_per_user: int = 100
    max_sockets_per_address: int = 1_000


def limit_exceeded(what: str, *, allowed: int, reached: int) -> GraphQLError:
    figure = f"{reached:_}".replace("_", " ") + (" or more" if reached >= CEILING else "")
    return GraphQLError(
        f"{what} may be at most {allowed}; here it is {figure}.",
        extensions={"code": "LIMIT_EXCEEDED", "allowed": allowed, "reached": reached},
    )
