"""What a portal asks all day. None of it may fall back to graphql-core, whoever asks."""

from dataclasses import dataclass, field
from typing import Any

from bench.documents import GRAPH, LIST


@dataclass(frozen=True, slots=True)
class Hot:
    """A document and its variables. A value in angle brackets is the id of the first row of that kind."""

    name: str
    document: str
    variables: dict[str, Any] = field(default_factory=dict)


PERSON = "fragment Person on Actor { __typename id displayName avatarUrl }"

HOT = [
    Hot(
        "the beginning of a session",
        """{ viewer { user { id displayName email avatarUrl locale timeZone staffProfile { role } }
          organizations { id name viewerRole historyAvailability historyStartsAt } permissions }
          server { version replayWindow maxPageSize locales } }""",
    ),
    Hot(
        "whatever a link points to",
        """query Link($id: ID!) { node(id: $id) { __typename id
          ... on Ticket { reference subject } ... on Escalation { reference ticket { id } } } }""",
        {"id": "<Escalation>"},
    ),
    Hot(
        "the cache of a client, refreshed",
        """query Refresh($ids: [ID!]!) { nodes(ids: $ids) { id
          ... on Ticket { subject status version lastActivityAt } ... on Space { name } } }""",
        {"ids": ["<Ticket>", "<Space>", "<Product>"]},
    ),
    Hot(
        "what can be asked for",
        """query Asked($id: ID!) { supportProjects { id name }
          requestTypes(organizationId: $id) { key name handlerLabel requiredCertificateKind defaultConfidentiality
            project { id } classifications { id name } issueTypes { id name appointmentsAvailable } } }""",
        {"id": "<Organization>"},
    ),
    Hot(
        "what is told in a language",
        """query Told($id: ID!, $organization: ID!, $locale: Locale) {
          ticket(id: $id) { asked: notice(locale: $locale) { text offersLinkedTicket referenceToQuote } notice { text }
            requestType { name(locale: $locale) handlerLabel } classification { name } issueType { name } }
          requestTypes(organizationId: $organization) { name(locale: "it") project { name }
            availabilityReason(organizationId: $organization, locale: $locale)
            requiredFields { key label(locale: $locale) } } }""",
        {"id": "<Ticket>", "organization": "<Organization>", "locale": "ru-RU"},
    ),
    Hot(
        "what a ticket is about",
        """query About($id: ID!) { ticket(id: $id) { id associatedUsernames
          devices(first: 10) { totalCount nodes { id name product { name } } }
          space { __typename name serviceLevel coverage { level benefits responseTarget channels } } } }""",
        {"id": "<Ticket>"},
    ),
    Hot(
        "what an organization has a right to",
        """query Rights($id: ID!) { organization(id: $id) { viewerRole
          certificates { number kind endsAt isActive products { id name } }
          licenses(first: 20) { nodes { level endsAt isActive space { id name } } } } }""",
        {"id": "<Organization>"},
    ),
    Hot("bench list", LIST, {"organization": "<Organization>"}),
    Hot("bench graph", GRAPH, {"id": "<Ticket>"}),
    Hot(
        "my tickets",
        """query Mine($after: Cursor) {
          tickets(first: 20, after: $after) {
            totalCount pageInfo { hasNextPage endCursor }
            edges { cursor node { id reference subject displayStatus lastActivityAt lastSequence } } } }""",
    ),
    Hot(
        "the organization's tickets, narrowed and ordered",
        """query Narrowed($organization: ID!, $filter: TicketFilter, $order: TicketOrder) {
          tickets(scope: ORGANIZATION, organizationId: $organization, filter: $filter, orderBy: $order, first: 25) {
            totalCount nodes { id reference subject status priority requester { displayName } } } }""",
        {
            "organization": "<Organization>",
            "filter": {"displayStatuses": ["OPEN", "ON_HOLD", "ESCALATED"], "requestTypeKeys": ["FULL"]},
            "order": {"field": "REFERENCE", "direction": "ASC"},
        },
    ),
    Hot(
        "two lists of a dashboard",
        """query Dashboard($all: Boolean!) {
          waiting: tickets(scope: ALL, filter: {statuses: [PENDING_CUSTOMER]}, first: 5) {
            totalCount nodes { id subject } }
          urgent: tickets(scope: ALL, filter: {priorities: [URGENT], isActive: true}, first: 5) @include(if: $all) {
            totalCount nodes { id subject assignee { ...Person } } } } """
        + PERSON,
        {"all": True},
    ),
    Hot(
        "a ticket's head",
        """query Head($reference: String!) {
          ticketByReference(reference: $reference) {
            id reference subject description status displayStatus priority severity channel confidentiality version
            createdAt updatedAt resolvedAt resolutionReason closedAt closureReason isEscalated locked feedCursor
            project { name } requestType { key name handlerLabel } classification { name } issueType { name }
            product { name } productVersion { name supportedUntil } productUpdate { name releasedAt }
            certificate { number endsAt } organization { id name } onBehalfOf { id name }
            requester { ...Person email } owner { ...Person } assignee { ...Person }
            space { __typename id name group { name parent { name } } ... on Room { capacity } }
            feedback { rating comment submittedBy { displayName } } } } """
        + PERSON,
        {"reference": "<reference>"},
    ),
    Hot(
        "a conversation, newest first",
        """query Conversation($id: ID!, $before: Cursor) {
          ticket(id: $id) { id lastSequence
            messages(last: 30, before: $before) {
              pageInfo { hasPreviousPage startCursor }
              edges { cursor node {
                __typename id sequence occurredAt body bodyHtml bodyText visibility deliveryState editedAt deletedAt
                actor { ...Person } attachments { id fileName mediaType sizeBytes scanState }
                inReplyTo { id body actor { displayName } } ... on EmailMessage { subject from } } } } } } """
        + PERSON,
        {"id": "<Ticket>"},
    ),
    Hot(
        "what was missed",
        """query Missed($id: ID!, $after: Cursor) {
          ticket(id: $id) { messages(first: 50, after: $after) {
            nodes { id sequence body bodyHtml } pageInfo { hasNextPage endCursor } } } }""",
        {"id": "<Ticket>"},
    ),
    Hot(
        "a transcript",
        """query Transcript($id: ID!) {
          ticket(id: $id) {
            transcript { availability messages(first: 100) { nodes { occurredAt body actor { displayName } } } }
            emails(first: 10) { totalCount nodes { subject from } } } }""",
        {"id": "<Ticket>"},
    ),
    Hot(
        "who takes part",
        """query People($id: ID!) {
          ticket(id: $id) { participants(first: 50) {
            totalCount nodes { id role addedAt user { ...Person } addedBy { ...Person } } } } } """
        + PERSON,
        {"id": "<Ticket>"},
    ),
    Hot(
        "an escalation",
        """query Escalation($id: ID!) {
          escalation(id: $id) {
            id reference stage submittedAt estimatedResolutionAt estimateIsGuaranteed requiresCustomerAction resolvedAt
            submittedBy { ...Person } ticket { id reference subject }
            timeline(first: 20) { nodes {
              id sequence stage enteredAt note internalNote isOverride actor { ...Person } } } } } """
        + PERSON,
        {"id": "<Escalation>"},
    ),
    Hot(
        "a whole timeline, newest first",
        """query Timeline($id: ID!, $before: Cursor) {
          ticket(id: $id) { id
            timeline(last: 30, before: $before) {
              pageInfo { hasPreviousPage startCursor }
              edges { cursor node { __typename id sequence occurredAt visibility actor { ...Person }
                ... on Message { body attachments { fileName } }
                ... on StatusChangedEvent { from to reason } ... on FieldChangedEvent { field oldValue newValue }
                ... on ParticipantChangedEvent { change user { displayName } }
                ... on EscalationStageChangedEvent { escalation { reference } entry { stage note } }
                ... on TicketLinkedEvent { link { source { reference } target { reference } } }
                ... on CallChangedEvent { callStatus conferenceCall { scheduledFor } appointmentStatus
                  appointment { startsAt engineer { displayName } } }
                ... on ResourceSharedEvent { resource { title url article { title } } }
                ... on FeedbackSubmittedEvent { feedback { rating } } } } } } } """
        + PERSON,
        {"id": "<Ticket>"},
    ),
    Hot(
        "a part of the timeline",
        """query Part($id: ID!, $kinds: [TimelineKind!]) {
          ticket(id: $id) { timeline(kinds: $kinds, first: 10) { totalCount nodes { id occurredAt } }
            resources { title url article { title } sharedBy { displayName } sharedAt } } }""",
        {"id": "<Ticket>", "kinds": ["STATUS", "NOTES", "CALLS"]},
    ),
    Hot(
        "a list with what is coming",
        """{ tickets(scope: ALL, filter: {}, first: 50) { nodes { id reference
          conferenceCall { status scheduledFor }
          appointment { status startsAt endsAt engineer { displayName } } } } }""",
    ),
    Hot(
        "escalations under way",
        """query UnderWay($organization: ID) {
          escalations(stages: [SUBMITTED, ENGINEERING_IN_PROGRESS], organizationId: $organization, first: 20) {
            totalCount nodes { id reference stage updatedAt ticket { id subject organization { name } } } } }""",
        {"organization": "<Organization>"},
    ),
    Hot(
        "an organization's places",
        """query Places($id: ID!) {
          organization(id: $id) {
            id name domains historyAvailability historyStartsAt
            groups { id name parent { id } }
            rooms(first: 20) { nodes { id name capacity devices(first: 10) { totalCount nodes { id name } } } }
            desks(first: 20) { nodes { id name } } } }""",
        {"id": "<Organization>"},
    ),
    Hot(
        "the switcher of organizations",
        "{ organizations(first: 50) { nodes { id name } pageInfo { hasNextPage endCursor } } }",
    ),
    Hot(
        "a device",
        """query Device($id: ID!) {
          device(id: $id) { id name firmwareVersion product { name versions { name updates { name } } }
            organization { name } space { __typename name tickets(first: 5) { nodes { id reference subject } } } } }""",
        {"id": "<Device>"},
    ),
    Hot(
        "what a reader of a ticket needs",
        """query Reader($id: ID!) {
          ticket(id: $id) { id version unreadCount viewerLastReadSequence viewerIsFollowing
            viewerPermissions { canReply canUpdateStatus canResolve } activeEscalation { reference stage }
            statusChangedAt firstRespondedAt isImported language notice { text offersLinkedTicket }
            followers(first: 20) { totalCount nodes { user { displayName } followedAt } } } }""",
        {"id": "<Ticket>"},
    ),
    Hot(
        "what a ticket is linked to",
        """query Links($id: ID!) {
          ticket(id: $id) { links { id kind createdAt source { reference } target { reference subject } }
            mergedInto { reference } followUpOf { reference } followUps { reference displayStatus } } }""",
        {"id": "<Ticket>"},
    ),
    Hot(
        "members of an organization",
        """query Members($id: ID!) {
          organization(id: $id) { version lifecyclePreset memberVisibility
            members(first: 50) { totalCount nodes { role joinedAt user { ...Person email } } }
            spaces(first: 20) { nodes { id name } } devices(first: 20) { totalCount nodes { id name } }
            customers(first: 20) { nodes { id name } } } } """
        + PERSON,
        {"id": "<Organization>"},
    ),
]
