"""The queries: arguments in, resolver called, rows out."""

from datetime import timedelta
from typing import Annotated, Any

import strawberry
from strawberry import ID, Info
from tortoise.expressions import Q

import models
from domain import policy
from domain.enums import EscalationStage, Scope, TicketListScope
from domain.errors import HistoryUnavailable, Invalid
from domain.lifecycle import DEFAULT_WINDOWS
from domain.naming import quoted
from domain.words.languages import LOCALES
from engine.declare import PLAN, Found, Keys, Listed, RowKey, Sought
from models.base import BaseModel
from resolvers import (
    drafts,
    entitlements,
    escalations,
    inventory,
    jobs,
    notifications,
    organizations,
    read_marks,
    ticket_lists,
    tickets,
)
from resolvers.history import found_unless_withheld
from resolvers.reading import related
from schema.access import signed_in
from schema.attachment import AttachmentPolicy, AttachmentQueries, the_policy
from schema.catalog import RequestType, SupportProject
from schema.catalog_roots import CatalogQueries
from schema.draft import DraftQueries, TicketDraft
from schema.escalation import Escalation
from schema.inputs import TicketFilter, TicketOrder
from schema.inventory import Desk, Device, Room
from schema.job import Job
from schema.knowledge import KnowledgeQueries
from schema.node import TABLES, Node, key_of, key_or_none, sought_key, split_id
from schema.notifications import Notification
from schema.operations import by_id, is_told_why
from schema.paging import After, Before, Connection, First, Last, page_args
from schema.people import SYSTEM, SYSTEM_ID, Organization, User
from schema.queue_stats import QueueStatsQueries
from schema.scalars import Locale
from schema.search import SearchQueries
from schema.ticket import Ticket
from schema.ticket_people import TicketPeopleQueries

SoughtID = Annotated[ID, strawberry.argument(description="Its id.")]
Reference = Annotated[str, strawberry.argument(description="Its reference, as people quote it.")]
OfOrganization = Annotated[ID | None, strawberry.argument(description="Only of this organization.")]
MOST_NODES = 100
ACTIVE = TicketFilter(is_active=True)


def by_reference(model: type[BaseModel]) -> Found:
    """A root field that finds a row by what people quote."""
    return Found(model, "reference", lambda args: quoted(args["reference"]), model.seen_by, is_told_why)


def _sought(given: str) -> Any:
    return SYSTEM if given == SYSTEM_ID else RowKey(*split_id(given, field="id"))


def _all_sought(given: list[str]) -> list[Any]:
    """
    Raises:
        Invalid: too many, or one that is no id.
    """
    if len(given) > MOST_NODES:
        raise Invalid("At most {limit} ids at a time.", field=("ids",), limit=MOST_NODES)
    return [_sought(each) for each in given]


def _found_for(model: Any, viewer: policy.Viewer) -> Q:
    found: Q = model.found_for(viewer)
    return found


@strawberry.type(description="Whoever is asking.")
class Viewer:
    @strawberry.field(
        description="The person signed in; null for nobody.",
        metadata={PLAN: Keys(lambda context: context.viewer.user_id and RowKey("User", context.viewer.user_id))},
    )
    @staticmethod
    async def user(info: Info) -> User | None:
        user: Any = await related(info.context, models.User, info.context.viewer.user_id)
        return user  # type: ignore[no-any-return]

    @strawberry.field(
        description="The organizations you belong to, in the order of joining.",
        metadata={
            PLAN: Keys(lambda context: [RowKey("Organization", m.organization_id) for m in context.viewer.memberships])
        },
    )
    @staticmethod
    async def organizations(info: Info) -> list[Organization]:
        rows = [
            await related(info.context, models.Organization, m.organization_id) for m in info.context.viewer.memberships
        ]
        return [row for row in rows if row]  # type: ignore[misc]

    @strawberry.field(
        description="How many tickets that you opened, own, handle, take part in or follow have something unread."
    )
    @staticmethod
    async def unread_ticket_count(info: Info) -> int:
        return await read_marks.count_unread_tickets(info.context)

    @strawberry.field(description="What you are told of, newest first.")
    @staticmethod
    def notifications(
        info: Info,
        unread_only: Annotated[bool | None, strawberry.argument(description="Only what you have not read.")] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[Notification]:
        args = page_args(first, after)
        return notifications.list_notifications(info.context, args, unread_only=bool(unread_only))  # type: ignore[return-value]

    @strawberry.field(description="Your drafts of tickets, the one last saved first.")
    @staticmethod
    def drafts(
        info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[TicketDraft]:
        return drafts.list_drafts(info.context, page_args(first, after, last, before))  # type: ignore[return-value]

    @strawberry.field(description="What your token may be used for.")
    @staticmethod
    def permissions(info: Info) -> list[Scope]:
        return sorted(info.context.viewer.scopes)


@strawberry.type(description="What this server is, and its limits.")
class ServerInfo:
    version: str = strawberry.field(description="The version of the software.")
    replay_window: timedelta = strawberry.field(description="How long events are kept for resuming, at least.")
    replay_max_events: int = strawberry.field(description="How many events of a stream are kept, at least.")
    attachment_policy: AttachmentPolicy = strawberry.field(description="What may be attached.")
    reopen_window: timedelta = strawberry.field(description="How long a resolved ticket reopens, unless set otherwise.")
    auto_close_after: timedelta = strawberry.field(description="When a resolved ticket closes, unless set otherwise.")
    auto_resolve_after: timedelta = strawberry.field(
        description="When a ticket that waits for its customer is resolved."
    )
    max_query_depth: int = strawberry.field(description="How deep a query may be.")
    max_query_cost: int = strawberry.field(description="How much a query may cost.")
    max_page_size: int = strawberry.field(description="The most rows in one page.")
    locales: list[Locale] = strawberry.field(description="The languages of labels and notices.")


@strawberry.type(description="Everything that can be read.")
class Query(
    AttachmentQueries,
    CatalogQueries,
    SearchQueries,
    KnowledgeQueries,
    QueueStatsQueries,
    DraftQueries,
    TicketPeopleQueries,
):
    @strawberry.field(
        description="Any object by its id; null where there is none that you may see.",
        directives=signed_in(),
        metadata={PLAN: Sought(lambda args: _sought(args["id"]), _found_for, is_told_why)},
    )
    async def node(self, info: Info, id: SoughtID) -> Node | None:
        node: Node | None = await _node(info, _sought(id))
        return node

    @strawberry.field(
        description="Objects by their ids, in the same order; null for each that there is none of.",
        directives=signed_in(),
        metadata={PLAN: Sought(lambda args: _all_sought(args["ids"]), _found_for, is_told_why)},
    )
    async def nodes(
        self, info: Info, ids: Annotated[list[ID], strawberry.argument(description="At most 100 ids.")]
    ) -> list[Node | None]:
        return [await _node_or_why(info, each) for each in _all_sought(list(ids))]

    @strawberry.field(description="Whoever is asking.")
    def viewer(self) -> Viewer:
        return Viewer()

    @strawberry.field(description="What this server is, and its limits.")
    def server(self, info: Info) -> ServerInfo:
        facts = info.context.services.facts
        return ServerInfo(
            version=facts.version,
            replay_window=facts.replay_window,
            replay_max_events=facts.replay_max_events,
            attachment_policy=the_policy(),
            reopen_window=DEFAULT_WINDOWS.reopen,
            auto_close_after=DEFAULT_WINDOWS.auto_close_after,
            auto_resolve_after=DEFAULT_WINDOWS.auto_resolve_after,
            max_query_depth=facts.max_query_depth,
            max_query_cost=facts.max_query_cost,
            max_page_size=info.context.services.max_page_size,
            locales=[Locale(each) for each in LOCALES],
        )

    @strawberry.field(
        description="An organization that you belong to.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Organization, "Organization")},
    )
    async def organization(self, info: Info, id: SoughtID) -> Organization | None:
        return await organizations.get_organization(info.context, sought_key(id, "Organization"))  # type: ignore[return-value]

    @strawberry.field(
        description="Your organizations, by name; every one for support staff.",
        directives=signed_in(),
        metadata={PLAN: Listed(models.Organization)},
    )
    def organizations(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Organization]:
        return organizations.list_organizations(info.context, page_args(first, after, last, before))  # type: ignore[return-value]

    @strawberry.field(
        description="A ticket that you may see.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Ticket, "Ticket")},
    )
    async def ticket(self, info: Info, id: SoughtID) -> Ticket | None:
        return await tickets.get_ticket(info.context, sought_key(id, "Ticket"))  # type: ignore[return-value]

    @strawberry.field(
        description="A ticket that you may see, by what people quote.",
        directives=signed_in(),
        metadata={PLAN: by_reference(models.Ticket)},
    )
    async def ticket_by_reference(self, info: Info, reference: Reference) -> Ticket | None:
        return await tickets.get_ticket_by_reference(info.context, reference)  # type: ignore[return-value]

    @strawberry.field(
        description="A list of tickets; without a filter only those that are active.",
        directives=signed_in(),
        metadata={PLAN: Listed(models.Ticket)},
    )
    def tickets(
        self,
        info: Info,
        scope: Annotated[TicketListScope, strawberry.argument(description="Which list.")] = TicketListScope.MINE,
        organization_id: OfOrganization = None,
        filter: Annotated[
            TicketFilter | None, strawberry.argument(description="What to show of it; `{}` or null shows everything.")
        ] = ACTIVE,
        order_by: Annotated[
            TicketOrder | None, strawberry.argument(description="Its order; latest activity first unless given.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Ticket]:
        return ticket_lists.list_tickets(  # type: ignore[return-value]
            info.context,
            page_args(first, after, last, before),
            scope=scope,
            organization_id=key_or_none(organization_id, "Organization", field="organizationId"),
            filter=filter.plain() if filter else None,
            order=order_by.plain() if order_by else ticket_lists.DEFAULT_ORDER,
        )

    @strawberry.field(
        description="Something that you asked to be done in the background.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Job, "Job")},
    )
    async def job(self, info: Info, id: SoughtID) -> Job | None:
        return await jobs.get_job(info.context, sought_key(id, "Job"))  # type: ignore[return-value]

    @strawberry.field(
        description="An escalation of a ticket that you may see.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Escalation, "Escalation")},
    )
    async def escalation(self, info: Info, id: SoughtID) -> Escalation | None:
        return await escalations.get_escalation(info.context, sought_key(id, "Escalation"))  # type: ignore[return-value]

    @strawberry.field(
        description="An escalation, by what people quote.",
        directives=signed_in(),
        metadata={PLAN: by_reference(models.Escalation)},
    )
    async def escalation_by_reference(self, info: Info, reference: Reference) -> Escalation | None:
        return await escalations.get_escalation_by_reference(info.context, reference)  # type: ignore[return-value]

    @strawberry.field(
        description="Escalations of tickets that you may see, newest first.",
        directives=signed_in(),
        metadata={PLAN: Listed(models.Escalation)},
    )
    def escalations(
        self,
        info: Info,
        stages: Annotated[
            list[EscalationStage] | None, strawberry.argument(description="Only those in one of these stages.")
        ] = None,
        organization_id: OfOrganization = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Escalation]:
        return escalations.list_escalations(  # type: ignore[return-value]
            info.context,
            page_args(first, after, last, before),
            wanted=stages,
            organization_id=key_or_none(organization_id, "Organization", field="organizationId"),
        )

    @strawberry.field(
        description="A room of an organization of yours.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Space, "Room", Q(kind=models.SpaceKind.ROOM))},
    )
    async def room(self, info: Info, id: SoughtID) -> Room | None:
        return await inventory.get_space(info.context, sought_key(id, "Room"), models.SpaceKind.ROOM)  # type: ignore[return-value]

    @strawberry.field(
        description="A desk of an organization of yours.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Space, "Desk", Q(kind=models.SpaceKind.DESK))},
    )
    async def desk(self, info: Info, id: SoughtID) -> Desk | None:
        return await inventory.get_space(info.context, sought_key(id, "Desk"), models.SpaceKind.DESK)  # type: ignore[return-value]

    @strawberry.field(
        description="A device of an organization of yours.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.Device, "Device")},
    )
    async def device(self, info: Info, id: SoughtID) -> Device | None:
        return await inventory.get_device(info.context, sought_key(id, "Device"))  # type: ignore[return-value]

    @strawberry.field(
        description="A device, by the number printed on it.", directives=signed_in(policy.SEE_SERIAL_NUMBER)
    )
    async def device_by_serial_number(
        self,
        info: Info,
        organization_id: Annotated[ID, strawberry.argument(description="Whose device it is.")],
        serial_number: Annotated[str, strawberry.argument(description="The number, in upper or lower case.")],
    ) -> Device | None:
        key = key_or_none(organization_id, "Organization", field="organizationId")
        assert key is not None
        return await inventory.get_device_by_serial_number(info.context, key, serial_number)  # type: ignore[return-value]

    @strawberry.field(description="The fields of support and what can be asked in each.", directives=signed_in())
    async def support_projects(self, info: Info) -> list[SupportProject]:
        return await organizations.list_support_projects(info.context)  # type: ignore[return-value]

    @strawberry.field(
        description="What an organization can ask of support, by name; without what it has no certificate for.",
        directives=signed_in(),
    )
    async def request_types(
        self,
        info: Info,
        organization_id: Annotated[ID, strawberry.argument(description="For which organization.")],
    ) -> list[RequestType]:
        key = key_of(organization_id, "Organization", field="organizationId")
        return await entitlements.request_types_for(info.context, key)  # type: ignore[return-value]


async def _node(info: Info, sought: Any) -> Any:
    if not isinstance(sought, RowKey):
        return sought
    table = TABLES[sought.type_name]
    row = await found_unless_withheld(info.context, table.model, sought.pk)
    return row if row is not None and table.when(row) else None


async def _node_or_why(info: Info, sought: Any) -> Any:
    """As `_node`; an error of its own stands in the place of what a regulation withholds (S11)."""
    try:
        return await _node(info, sought)
    except HistoryUnavailable as refusal:
        return refusal
