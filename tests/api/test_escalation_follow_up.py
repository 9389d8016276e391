"""Follow-up on an escalation goes through its ticket and whoever handles that, also while others work on it (S80)."""

import pytest

from domain.enums import EscalationStage, StaffRole
from resolvers.context import Services
from tests.api.operations import mutate, note, send
from tests.api.told import make_desk
from tests.api.world import gid
from tests.conftest import AsUser
from tests.factories import make_staff

pytestmark = pytest.mark.anyio

SHOWN = """query($t: ID!) { ticket(id: $t) { assignee { displayName } escalations { totalCount }
  messages { nodes { body } } }
  escalations { nodes { ticket { id } } } tickets(scope: ALL, filter: null) { totalCount } }"""


@pytest.mark.parametrize("stage", EscalationStage)
async def test_what_the_customer_says_meanwhile_reaches_the_same_person_on_the_same_ticket(
    as_user: AsUser, services: Services, stage: EscalationStage
) -> None:
    desk = await make_desk(services)
    lead, engineer = await make_staff(StaffRole.LEAD, "Lea"), await make_staff(StaffRole.ENGINEER, "Eve")
    ticket = gid(desk.ticket)
    issue = {"ticketId": ticket, "issueDescription": "The firmware drops the signal"}
    made = await mutate(as_user(lead), "escalationSubmit", "escalation { id }", **issue)
    for step in list(EscalationStage)[1 : list(EscalationStage).index(stage) + 1]:
        given = {"escalationId": made["escalation"]["id"], "stage": step.value}
        assert (await mutate(as_user(engineer), "escalationAdvance", "entry { stage }", **given))["errors"] == []

    assert (await send(desk.ann, desk.ticket, "Any news?"))["errors"] == []
    assert (await note(desk.ann, desk.ticket, "It is the room on the left"))["errors"] == []
    assert (await send(desk.sam, desk.ticket, "I have asked them"))["errors"] == []

    shown = await desk.ann.ask(SHOWN, t=ticket)
    assert shown["ticket"]["assignee"] == {"displayName": "Sam"}
    assert shown["ticket"]["escalations"] == {"totalCount": 1}
    said = [each["body"] for each in shown["ticket"]["messages"]["nodes"]]
    assert said == ["Any news?", "It is the room on the left", "I have asked them"]
    assert (shown["escalations"]["nodes"], shown["tickets"]["totalCount"]) == ([{"ticket": {"id": ticket}}], 1)
    replies = {}
    for name, person in {"Ann": desk.ann, "Sam": desk.sam, "Lea": as_user(lead), "Eve": as_user(engineer)}.items():
        replies[name] = [text for kind, text in await desk.told(person) if kind == "REPLIED"]
    assert replies == {"Ann": ["Sam wrote on T-7."], "Sam": ["Ann wrote on T-7."] * 2, "Lea": [], "Eve": []}
