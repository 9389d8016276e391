"""Refusals of mutations, as data: what a person can act on comes back in `errors`, with a code and the next step."""

import inspect
from collections.abc import Callable
from typing import Any
from uuid import UUID

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition, get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

import models
from domain.enums import AppointmentBlockedReason
from domain.errors import (
    AppointmentNotAvailable,
    DomainError,
    ReopenWindowExpired,
    StaleVersion,
    TicketClosed,
    Unauthenticated,
)
from domain.naming import client_id
from resolvers.reading import found
from schema.enums import ErrorCode
from schema.ticket import Ticket


@strawberry.interface(description="Why a mutation was refused, and what to do next.")
class UserError:
    message: str = strawberry.field(description="What happened and what to do, for people.")
    code: ErrorCode = strawberry.field(description="What kind of refusal it is, for programs.")
    field: list[str] | None = strawberry.field(description="The path of the argument at fault, if one is.")


@strawberry.type(description="A refusal that is explained by its code alone.")
class FieldError(UserError):
    pass


@strawberry.type(description="The ticket is closed for good, or reopens no longer; a linked ticket goes on.")
class TicketClosedError(UserError):
    ticket: Ticket | None = strawberry.field(description="The ticket as it is.")
    offers_linked_ticket: bool = strawberry.field(description="Whether a linked ticket can be opened instead.")


@strawberry.type(description="Somebody else changed it first.")
class StaleVersionError(UserError):
    current_version: int = strawberry.field(description="Its version now: load it again and repeat the change.")


@strawberry.type(description="There can be no appointment about the ticket now.")
class AppointmentNotAvailableError(UserError):
    reason: AppointmentBlockedReason = strawberry.field(description="Why not.")


class Refusable(FieldExtension):
    """Turns a `DomainError` of a mutation into its payload's `errors`, and echoes `clientMutationId` if it is one.

    That nobody is signed in is no refusal of the business: it stays an error of the whole request.
    """

    def __init__(self) -> None:
        self.payload: type[Any] | None = None

    def apply(self, field: StrawberryField) -> None:
        declared = field.type
        payload = declared.of_type if isinstance(declared, StrawberryContainer) else declared
        definition = get_object_definition(payload)
        assert isinstance(definition, StrawberryObjectDefinition), field.python_name
        self.payload = definition.origin

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        given = kwargs.get("input")
        echoed = None
        try:
            echoed = client_id(getattr(given, "client_mutation_id", None))
            answer = next_(source, info, **kwargs)
            payload = await answer if inspect.isawaitable(answer) else answer
        except Unauthenticated:
            raise
        except DomainError as error:
            assert self.payload is not None
            payload = self.payload(errors=[await as_user_error(info, error)])
        payload.client_mutation_id = echoed
        return payload


async def as_user_error(info: strawberry.Info, error: DomainError) -> UserError:
    """The typed error of a refusal. The path is in the API's spelling, from `input` on."""
    common: Any = {
        "message": error.text.in_(info.context.viewer.language),
        "code": ErrorCode(error.code),
        "field": ["input", *(to_camel_case(step) for step in error.field)] if error.field else None,
    }
    match error:
        case StaleVersion():
            return StaleVersionError(**common, current_version=error.current)
        case AppointmentNotAvailable():
            return AppointmentNotAvailableError(**common, reason=error.reason)
        case TicketClosed() | ReopenWindowExpired():
            return TicketClosedError(**common, ticket=await _ticket(info, error.ticket_id), offers_linked_ticket=True)
        case _:
            return FieldError(**common)


async def _ticket(info: strawberry.Info, ticket_id: UUID | None) -> Any:
    return await found(info.context, models.Ticket, ticket_id) if ticket_id else None
