"""Closed is final: what a closed ticket still takes, of all that there is, and how the rest is refused (S66, S69)."""

import pytest

import models
from domain.enums import TicketStatus
from tests.api.test_mutation_permissions import MUTATIONS, who_may
from tests.api.world import World, gid, make_world, nothing_changes
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import LONG_AGO

pytestmark = pytest.mark.anyio

OF_NO_TICKET = {
    *("ticketCreate", "draftSave", "draftDiscard", "draftSubmit", "attachmentUploadCreate", "ticketsExport"),
    *("certificateSave", "requestTypeSave", "knowledgeArticleSave", "knowledgeArticleRate", "notificationMarkRead"),
    *("notificationPreferencesUpdate", "organizationMemberInvite", "organizationMemberSetRole"),
    *("organizationMemberRemove", "organizationSave"),
    *("roomSave", "deskSave", "spaceGroupSave", "deviceSave", "spaceDelete", "licenseAssign"),
}
BESIDE_IT = {
    # Who reads it and is told of it, and what one keeps of it.
    *("ticketFollow", "ticketUnfollow", "ticketFollowersAdd", "ticketFollowersRemove", "ticketShare", "ticketExport"),
    *("ticketParticipantRemove", "ticketClaim", "ticketSetRequester", "ticketLock"),
    *("presenceSet", "typingSet", "ticketMarkRead", "ticketMarkUnread"),
    # How one goes on from it, and what one thought of it.
    *("ticketCreateLinked", "ticketLink", "ticketUnlink", "ticketSplit", "feedbackSubmit"),
    # What was agreed on is called off; an escalation is an object of its own and comes to an end of its own (S73).
    *("conferenceCallRespond", "appointmentCancel"),
    *("escalationAdvance", "escalationSetEstimate", "escalationConfirmResolution", "escalationRejectResolution"),
}
"""What changes nothing of what a closed ticket is and says."""

SAYS = ("status", "closed_at", "subject", "description", "priority", "assignee_id", "space_id", "confidentiality")


async def closed(world: World, mutation: str) -> dict[str, str]:
    """What the mutation is about, on tickets that are all closed by now."""
    given = await MUTATIONS[mutation][0](world)
    for ticket in await models.Ticket.exclude(status=TicketStatus.CLOSED):
        ticket.status, ticket.closed_at = TicketStatus.CLOSED, LONG_AGO
        await ticket.save()
    return {**given, "agent": gid(world["agent"])}


async def refusals(client: Client, mutation: str, given: dict[str, str]) -> list[dict[str, object]]:
    arguments = MUTATIONS[mutation][1]
    used = {name: value for name, value in given.items() if f"${name}" in arguments}
    heading = "mutation" + (f"({', '.join(f'${name}: ID!' for name in used)})" if used else "")
    selection = "errors { code ... on TicketClosedError { ticket { reference } offersLinkedTicket } }"
    found = await client.ask(f"{heading} {{ {mutation}(input: {{{arguments}}}) {{ {selection} }} }}", **used)
    errors: list[dict[str, object]] = found[mutation]["errors"]
    return errors


async def test_nothing_that_a_closed_ticket_is_or_says_changes_any_more(as_user: AsUser) -> None:
    """By whoever may do it with an open one; the refusal says which ticket it was, and offers to go on from it."""
    world = await make_world()
    wrong = []

    for mutation in MUTATIONS.keys() - OF_NO_TICKET - BESIDE_IT - {"appointmentSchedule"}:
        given = await closed(world, mutation)
        async with nothing_changes():
            told = await refusals(as_user(world[who_may(mutation)]), mutation, given)
        offer = [(each["code"], each.get("offersLinkedTicket"), bool(each.get("ticket"))) for each in told]
        if offer != [("TICKET_CLOSED", True, True)]:
            wrong.append((mutation, told))

    assert wrong == []


@pytest.mark.parametrize("mutation", sorted(BESIDE_IT))
async def test_what_goes_on_beside_a_closed_ticket_leaves_it_as_it_is(as_user: AsUser, mutation: str) -> None:
    world = await make_world()
    given = await closed(world, mutation)
    before = {row.id: [getattr(row, name) for name in SAYS] for row in await models.Ticket.all()}

    assert await refusals(as_user(world[who_may(mutation)]), mutation, given) == []

    after = {row.id: [getattr(row, name) for name in SAYS] for row in await models.Ticket.filter(id__in=list(before))}
    assert after == before


async def test_no_appointment_is_made_about_a_closed_ticket(as_user: AsUser) -> None:  # S94
    world = await make_world()
    given = await closed(world, "appointmentSchedule")

    async with nothing_changes():
        told = await refusals(as_user(world["author"]), "appointmentSchedule", given)

    assert told == [{"code": "APPOINTMENT_NOT_AVAILABLE"}]
