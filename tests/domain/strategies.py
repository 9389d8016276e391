"""Viewers and facts for Hypothesis: few enough people and organizations that they meet."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from domain.enums import Confidentiality, MemberVisibility, OrganizationRole, Scope, StaffRole
from domain.policy import ANONYMOUS, Facts, Membership, OrganizationFacts, TicketFacts, UserFacts, Viewer

PEOPLE = [UUID(int=n) for n in range(1, 4)]
ORGANIZATIONS = [UUID(int=n) for n in range(11, 14)]
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)

people = st.sampled_from(PEOPLE)
organizations = st.sampled_from(ORGANIZATIONS)
instants = st.sampled_from([MIDNIGHT + timedelta(microseconds=n) for n in (-1, 0, 1)])

memberships = st.builds(
    Membership,
    organization_id=organizations,
    role=st.sampled_from(OrganizationRole),
    member_visibility=st.sampled_from(MemberVisibility),
    history_starts_at=st.none() | instants,
    history_is_available=st.sampled_from([True, True, False]),
)

viewers: st.SearchStrategy[Viewer] = st.just(ANONYMOUS) | st.builds(
    Viewer,
    user_id=people,
    staff_role=st.none() | st.sampled_from(StaffRole),
    memberships=st.lists(memberships, max_size=2, unique_by=lambda each: each.organization_id).map(tuple),
    scopes=st.frozensets(st.sampled_from(Scope)),
)
"""Whoever has a token: nobody, or a person, who may be a member, work in support, or both."""

tickets = st.builds(
    TicketFacts,
    organization_id=organizations,
    requester_id=st.none() | people,
    confidentiality=st.sampled_from(Confidentiality),
    created_at=instants,
    owner_id=st.none() | people,
    assignee_id=st.none() | people,
    is_participant=st.booleans(),
)

facts: st.SearchStrategy[Facts] = (
    st.none()
    | tickets
    | st.builds(OrganizationFacts, organization_id=organizations)
    | st.builds(UserFacts, user_id=people, organization_ids=st.frozensets(organizations))
)
