"""What a viewer may do with a ticket: what a client shows, and greys out."""

from typing import Any

import strawberry

from domain.actions import ACTIONS, appointment_blocked_reason, reply_blocked_reason
from domain.enums import AppointmentBlockedReason, ReplyBlockedReason
from resolvers.context import Context
from resolvers.viewer_permissions import asked_of


@strawberry.type(
    description="What you may do with a ticket as it stands now, by the rules that guard the mutations themselves."
)
class TicketViewerPermissions:
    can_reply: bool = strawberry.field(description="Whether `messageSend` is open to you.")
    reply_blocked_reason: ReplyBlockedReason | None = strawberry.field(description="Why it is not; null where it is.")
    can_add_note: bool = strawberry.field(description="Whether `noteAdd` is open to you.")
    can_update_status: bool = strawberry.field(description="Whether you can resolve, close or reopen it.")
    can_resolve: bool = strawberry.field(description="Whether `ticketResolve` is open to you.")
    can_close: bool = strawberry.field(description="Whether `ticketClose` is open to you.")
    can_reopen: bool = strawberry.field(description="Whether `ticketReopen` is open to you.")
    can_follow: bool = strawberry.field(description="Whether `ticketFollow` is open to you.")
    can_add_followers: bool = strawberry.field(description="Whether `ticketFollowersAdd` is open to you.")
    can_add_contact: bool = strawberry.field(description="Whether `ticketContactAdd` is open to you.")
    can_share: bool = strawberry.field(description="Whether `ticketShare` is open to you.")
    can_claim: bool = strawberry.field(description="Whether `ticketClaim` is open to you.")
    can_confirm_resolution: bool = strawberry.field(
        description="Whether you are asked to confirm or reject the solution of its escalation."
    )
    can_create_linked_ticket: bool = strawberry.field(description="Whether `ticketCreateLinked` is open to you.")
    can_leave_feedback: bool = strawberry.field(description="Whether `feedbackSubmit` is open to you.")
    can_export: bool = strawberry.field(description="Whether `ticketExport` is open to you.")
    can_attach: bool = strawberry.field(description="Whether you can put files on it, with a message or with a note.")
    can_schedule_appointment: bool = strawberry.field(description="Whether `appointmentSchedule` is open to you.")
    appointment_blocked_reason: AppointmentBlockedReason | None = strawberry.field(
        description="Why there can be no appointment about it now, whoever asks; null where there can."
    )
    can_see_internal: bool = strawberry.field(description="Whether you read and write internal notes.")


async def permissions_on(ctx: Context, rows: list[tuple[Any, ...]]) -> list[TicketViewerPermissions]:
    """For each row of `resolvers.viewer_permissions.PERMISSION_COLUMNS`."""
    return [
        TicketViewerPermissions(
            reply_blocked_reason=reply_blocked_reason(asked),
            appointment_blocked_reason=appointment_blocked_reason(asked),
            **{name: action(asked) is None for name, action in ACTIONS.items()},
        )
        for asked in await asked_of(ctx, rows)
    ]
