"""Store it: the tables, and the SQL form of who may see a row."""

from models.calls import Appointment, ConferenceCall
from models.catalog import Classification, IssueType, RequestType, ServiceCertificate, SupportProject
from models.conversation import Attachment, Message, TimelineEvent, TimelineItem
from models.drafts import TicketDraft
from models.escalations import Escalation, EscalationEntry
from models.feed import Counter, FeedEvent, FeedStream, Lease
from models.followers import Follower
from models.inventory import (
    Device,
    Product,
    ProductUpdate,
    ProductVersion,
    ServiceLicense,
    Space,
    SpaceGroup,
    SpaceKind,
)
from models.jobs import Job
from models.knowledge import KnowledgeArticle, KnowledgeRating
from models.mentions import Mention
from models.notifications import MutedTicket, Notification, PendingNotice
from models.people import Membership, Organization, RefreshToken, User
from models.read_marks import ReadMark
from models.resources import SharedResource
from models.searching import SearchDocument
from models.ticket_links import TicketLink
from models.tickets import Feedback, Participant, Ticket

__all__ = [
    "Appointment",
    "Attachment",
    "Classification",
    "ConferenceCall",
    "Counter",
    "Device",
    "Escalation",
    "EscalationEntry",
    "FeedEvent",
    "FeedStream",
    "Feedback",
    "Follower",
    "IssueType",
    "Job",
    "KnowledgeArticle",
    "KnowledgeRating",
    "Lease",
    "Membership",
    "Mention",
    "Message",
    "MutedTicket",
    "Notification",
    "Organization",
    "Participant",
    "PendingNotice",
    "Product",
    "ProductUpdate",
    "ProductVersion",
    "ReadMark",
    "RefreshToken",
    "RequestType",
    "SearchDocument",
    "ServiceCertificate",
    "ServiceLicense",
    "SharedResource",
    "Space",
    "SpaceGroup",
    "SpaceKind",
    "SupportProject",
    "Ticket",
    "TicketDraft",
    "TicketLink",
    "TimelineEvent",
    "TimelineItem",
    "User",
]
