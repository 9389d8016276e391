"""The closed sets of the business. Every member says what it means; the API prints these sentences."""

from enum import StrEnum
from typing import Self


class Described(StrEnum):
    """An enum of strings whose members carry a description: `NAME = "NAME", "what it means"`."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class Visibility(Described):
    """Who may see a message or an event of a ticket."""

    PUBLIC = "PUBLIC", "Everyone who may see the ticket."
    INTERNAL = "INTERNAL", "Support staff only."


class TicketStatus(Described):
    """Where a ticket stands in its life."""

    NEW = "NEW", "Nobody from support has answered yet."
    OPEN = "OPEN", "Support's turn."
    PENDING_CUSTOMER = "PENDING_CUSTOMER", "Support answered; the customer's turn."
    ON_HOLD = "ON_HOLD", "Waiting for something outside; nothing happens by itself until then."
    RESOLVED = "RESOLVED", "Solved; a reply within the organization's window reopens it."
    CLOSED = "CLOSED", "Final; a linked ticket is the way on."


class TicketDisplayStatus(Described):
    """What list screens show: ESCALATED wins over the open states while an escalation is active."""

    NEW = "NEW", "Nobody from support has answered yet."
    OPEN = "OPEN", "Support's turn."
    PENDING_CUSTOMER = "PENDING_CUSTOMER", "Support answered; the customer's turn."
    ON_HOLD = "ON_HOLD", "Waiting for something outside."
    ESCALATED = "ESCALATED", "Not yet resolved, and an escalation is under way."
    RESOLVED = "RESOLVED", "Solved; may still be reopened."
    CLOSED = "CLOSED", "Final."


class TicketChannel(Described):
    """How a request reached support."""

    EMAIL = "EMAIL", "By e-mail."
    PHONE = "PHONE", "By phone; there is no transcript."
    CHAT = "CHAT", "In the live chat."
    CONFERENCE_CALL = "CONFERENCE_CALL", "In a scheduled conference call."
    PORTAL = "PORTAL", "Through the support portal."
    API = "API", "By another system, through this API."
    IMPORT = "IMPORT", "From an earlier system, by a way that has no counterpart here."


class TicketPriority(Described):
    """How soon support should act."""

    URGENT = "URGENT", "At once."
    HIGH = "HIGH", "Before ordinary work."
    NORMAL = "NORMAL", "In order of arrival."
    LOW = "LOW", "When there is time."


class TicketSeverity(Described):
    """How badly the customer is affected."""

    CRITICAL = "CRITICAL", "Work has stopped."
    MODERATE = "MODERATE", "Work goes on with difficulty."
    MINIMAL = "MINIMAL", "A question or a small nuisance."
    UNKNOWN = "UNKNOWN", "Not assessed."


class Confidentiality(Described):
    """Who in the organization may see a ticket."""

    ORGANIZATION = "ORGANIZATION", "Its author and those who may see the organization's requests."
    AUTHOR_ONLY = "AUTHOR_ONLY", "Its author and support staff alone, not even administrators (S07)."


class ResolutionReason(Described):
    """Why a ticket is resolved."""

    SUPPORT_RESOLVED = "SUPPORT_RESOLVED", "Support solved it."
    CUSTOMER_RESOLVED = "CUSTOMER_RESOLVED", "The customer says it is solved."
    INACTIVITY = "INACTIVITY", "The customer did not come back within the organization's time."
    DUPLICATE = "DUPLICATE", "Another ticket deals with it."


class ClosureReason(Described):
    """Why a ticket is closed."""

    CUSTOMER_CLOSED = "CUSTOMER_CLOSED", "Its owner closed it."
    ORG_MANAGER_CLOSED = "ORG_MANAGER_CLOSED", "A manager of the organization closed it."
    SUPPORT_CLOSED = "SUPPORT_CLOSED", "Support closed it."
    AUTO_AFTER_RESOLVED = "AUTO_AFTER_RESOLVED", "It stayed resolved for the organization's time."
    REOPEN_WINDOW_EXPIRED = "REOPEN_WINDOW_EXPIRED", "The time to reopen it ran out."
    MERGED = "MERGED", "It was merged into another ticket."


class ReplyBlockedReason(Described):
    """Why the viewer cannot reply to a ticket (S52)."""

    TICKET_CLOSED = "TICKET_CLOSED", "It is closed, or the time to reopen it has passed: open a linked ticket."
    NOT_SUBMITTER_OR_ORG_ADMIN = (
        "NOT_SUBMITTER_OR_ORG_ADMIN",
        "Only who takes part in it, and the organization's managers, reply.",
    )
    READ_ONLY_ROLE = "READ_ONLY_ROLE", "The viewer's role in the organization only reads (S15)."
    HISTORY_UNAVAILABLE = "HISTORY_UNAVAILABLE", "A regulation keeps the organization's tickets from its people (S11)."
    LOCKED = "LOCKED", "Support has stopped replies."


class EscalationStage(Described):
    """How far an escalation has come."""

    SUBMITTED = "SUBMITTED", "Handed to engineering, not yet looked at."
    IN_REVIEW = "IN_REVIEW", "Engineering is assessing it."
    ENGINEERING_IN_PROGRESS = "ENGINEERING_IN_PROGRESS", "Engineering is working on a solution."
    VERIFYING_RESOLUTION = "VERIFYING_RESOLUTION", "A solution is there; the customer is asked to confirm it."
    RESOLVED = "RESOLVED", "Confirmed; the escalation is over."


class ServiceLevel(Described):
    """The service plan that covers a room or desk."""

    BASIC = "BASIC", "No plan."
    ESSENTIAL = "ESSENTIAL", "The essential plan."
    SELECT = "SELECT", "The full plan."


class OrganizationRole(Described):
    """What a member may do in an organization (S03)."""

    OWNER = "OWNER", "Everything in the organization; an organization always has one."
    ADMIN = "ADMIN", "Brand or licence administrator: manages members, inventory and requests."
    SUPPORT_REQUEST_ADMIN = "SUPPORT_REQUEST_ADMIN", "Sees and manages the organization's requests."
    LICENSE_MANAGER = "LICENSE_MANAGER", "Assigns licences to rooms and desks."
    MEMBER = "MEMBER", "Opens requests, and sees colleagues' where the organization allows it."
    READ_ONLY = "READ_ONLY", "Reads only: cannot open, follow or manage requests (S15)."


class StaffRole(Described):
    """What somebody does in support."""

    AGENT = "AGENT", "Answers tickets."
    LEAD = "LEAD", "Answers tickets and leads a team."
    ENGINEER = "ENGINEER", "Works on escalations."
    ADMIN = "ADMIN", "Runs the desk."


class MemberVisibility(Described):
    """Whether MEMBER and READ_ONLY see colleagues' requests (S03)."""

    OPEN = "OPEN", "They see the organization's requests."
    OWN = "OWN", "They see their own requests only."


class HistoryAvailability(Described):
    """Whether an organization's ticket history may be shown (S11)."""

    AVAILABLE = "AVAILABLE", "History is shown."
    UNAVAILABLE_REGULATORY = "UNAVAILABLE_REGULATORY", "A regulation forbids it."


class LifecyclePreset(Described):
    """The shipped windows after a ticket is resolved (S64, S65)."""

    WEEK = "WEEK", "Reopens by a reply within 7 days, then closes by itself."
    HOURS_72 = "HOURS_72", "Reopens by a comment within 72 hours, then it is final."


class ParticipantRole(Described):
    """What a person is on a ticket."""

    SUBMITTER = "SUBMITTER", "Opened it."
    OWNER = "OWNER", "Answers for it on the customer's side."
    CONTACT = "CONTACT", "Is kept informed and may be called; added by the assigned agent."
    PARTICIPANT = "PARTICIPANT", "Takes part in the conversation."


class FollowerKind(Described):
    """Who is told of a ticket's changes (S85)."""

    INTERNAL = "INTERNAL", "A person with an account, who could read the ticket anyway."
    EXTERNAL_EMAIL_ONLY = "EXTERNAL_EMAIL_ONLY", "An e-mail address: gets e-mail, has no account and sees nothing."


class MessageKind(Described):
    """What a piece of conversation is."""

    CHAT = "CHAT", "A message in the live conversation."
    EMAIL = "EMAIL", "An e-mail of the request."
    NOTE = "NOTE", "A note beside the conversation."


class MessageSource(Described):
    """Where a message came from."""

    PORTAL = "PORTAL", "The support portal."
    WIDGET = "WIDGET", "The embedded chat widget."
    EMAIL = "EMAIL", "An inbound e-mail."
    API = "API", "Another system."
    AUTOMATION = "AUTOMATION", "The desk itself."
    IMPORT = "IMPORT", "An earlier system."


class DeliveryState(Described):
    """How far a message has got."""

    QUEUED = "QUEUED", "Waiting to be sent on."
    SENT = "SENT", "Stored, and on its way to everyone watching."
    DELIVERED = "DELIVERED", "Arrived at the other side."
    READ = "READ", "Somebody on the other side has read it."
    FAILED = "FAILED", "Could not be sent; send it again."
    BOUNCED = "BOUNCED", "The receiving mail server refused it."


class ScanState(Described):
    """What the virus scan found in a file."""

    PENDING = "PENDING", "Not scanned yet."
    CLEAN = "CLEAN", "Nothing found."
    INFECTED = "INFECTED", "Something found: the file is not handed out."
    SKIPPED = "SKIPPED", "No scanner is set up."


class TimelineEventKind(Described):
    """What a recorded change of a ticket is about."""

    STATUS = "STATUS", "Its status changed."
    FIELD = "FIELD", "One of its fields changed."
    ESCALATION = "ESCALATION", "An escalation entered a stage."
    PARTICIPANT = "PARTICIPANT", "Somebody was put on the ticket or taken off it, or follows it or no longer does."
    FEEDBACK = "FEEDBACK", "Its customer said what the support was like."
    LINK = "LINK", "It was linked with another ticket, or no longer is."
    RESOURCE = "RESOURCE", "Support shared something on it."
    CALL = "CALL", "A conference call or an appointment was made, moved, answered or called off."


class TimelineKind(Described):
    """What a ticket's timeline can be narrowed to (S49)."""

    MESSAGES = "MESSAGES", "What was said in the live conversation."
    EMAILS = "EMAILS", "Its e-mails."
    NOTES = "NOTES", "Notes beside the conversation."
    STATUS = "STATUS", "Changes of its status."
    ASSIGNMENT = "ASSIGNMENT", "Who in support was given it."
    ESCALATION = "ESCALATION", "The stages of its escalations."
    FOLLOWERS = "FOLLOWERS", "Who was put on it or taken off it, and who follows it."
    LINKS = "LINKS", "Other tickets it was linked with."
    CALLS = "CALLS", "Conference calls."
    APPOINTMENTS = "APPOINTMENTS", "Appointments."
    FEEDBACK = "FEEDBACK", "What its customer said of the support."
    RESOURCES = "RESOURCES", "What support shared."
    FIELDS = "FIELDS", "Changes of its other fields."


class ConferenceCallStatus(Described):
    """What became of a conference call (S55)."""

    PENDING = "PENDING", "Support proposed it; the customer has not answered yet."
    ACCEPTED = "ACCEPTED", "The customer will be there."
    CANCELLED = "CANCELLED", "One side called it off, or nobody answered before its time."
    COMPLETED = "COMPLETED", "Its time is over."


class AppointmentStatus(Described):
    """What became of an appointment (S94)."""

    REQUESTED = "REQUESTED", "The customer asked for it; support has not confirmed it yet."
    CONFIRMED = "CONFIRMED", "Support will be there."
    CANCELLED = "CANCELLED", "One side called it off, or support did not confirm it before its time."
    COMPLETED = "COMPLETED", "Its time is over."


class AppointmentBlockedReason(Described):
    """Why there can be no appointment about a ticket (S94)."""

    ISSUE_TYPE_NOT_ELIGIBLE = "ISSUE_TYPE_NOT_ELIGIBLE", "Its issue type offers none, or it has no issue type."
    NO_ENGINEER_ASSIGNED = "NO_ENGINEER_ASSIGNED", "Nobody in support has been given it."
    TICKET_CLOSED = "TICKET_CLOSED", "It is closed."


class TicketLinkKind(Described):
    """What the source of a link is to its target: it is read from left to right."""

    FOLLOW_UP_OF = "FOLLOW_UP_OF", "The source goes on where the target ended."
    RELATED_TO = "RELATED_TO", "The two have to do with each other."
    DUPLICATE_OF = "DUPLICATE_OF", "The source is about the same as the target."
    MERGED_INTO = "MERGED_INTO", "The source is closed, and goes on in the target."
    SPLIT_FROM = "SPLIT_FROM", "The source was a part of the target."
    BLOCKED_BY = "BLOCKED_BY", "The source cannot go on before the target does."


class CertificateKind(Described):
    """What a certificate entitles to."""

    TECHNICAL_SUPPORT = "TECHNICAL_SUPPORT", "Technical support."
    SERVICES = "SERVICES", "Professional services."
    UPDATES = "UPDATES", "Product updates."
    TRAINING = "TRAINING", "Training."


class DraftOrigin(Described):
    """How a draft came about."""

    AUTOSAVE = "AUTOSAVE", "It was saved while it was being written."
    CANCELLED = "CANCELLED", "Its author stopped, and kept it (S29)."
    TECHNICAL_FAILURE = "TECHNICAL_FAILURE", "It was submitted, and could not be stored for a fault on our side (S30)."


class RequestTypeAvailability(Described):
    """Whether an organization may ask for something now (S18)."""

    AVAILABLE = "AVAILABLE", "It may."
    INACTIVE = "INACTIVE", "Its certificates for it are not in force today."
    ABSENT = "ABSENT", "It has no certificate for it; such types are not listed."


class CustomFieldKind(Described):
    """What kind of value a field of a form takes."""

    TEXT = "TEXT", "Text."
    NUMBER = "NUMBER", "A number."
    BOOLEAN = "BOOLEAN", "Yes or no."
    DATE = "DATE", "A calendar date."
    ENUM = "ENUM", "One or more of what there is to choose from."
    URL = "URL", "An address on the web."


class ChangeType(Described):
    """What an event of a stream says about its object."""

    ADDED = "ADDED", "It is new to the viewer."
    UPDATED = "UPDATED", "It changed."
    REMOVED = "REMOVED", "The viewer no longer has it."


class JobStatus(Described):
    """How far something has come that is done in the background."""

    QUEUED = "QUEUED", "It waits for its turn."
    RUNNING = "RUNNING", "It is being done."
    SUCCEEDED = "SUCCEEDED", "It is done; what it made can be fetched until it expires."
    FAILED = "FAILED", "It could not be done: `failed` says why."
    EXPIRED = "EXPIRED", "It was done, and what it made is no longer kept: ask for it again."


class JobKind(Described):
    """What is done in the background."""

    TICKET_EXPORT = "TICKET_EXPORT", "One ticket is written into a file."
    TICKETS_EXPORT = "TICKETS_EXPORT", "A list of tickets is written into a file."


class ExportFormat(Described):
    """What kind of file an export is."""

    PDF = "PDF", "A document to keep or to print: of one ticket."
    JSON = "JSON", "For programs: everything of one ticket that you may see, in a documented shape."
    TXT = "TXT", "Plain text: of one ticket."
    CSV = "CSV", "A table for spreadsheets: of a list of tickets, a row for each."
    XLSX = "XLSX", "The same table as a workbook, whose instants are dates (UTC)."


class StreamResetReason(Described):
    """Why a stream could not go on from the client's position."""

    CURSOR_TOO_OLD = "CURSOR_TOO_OLD", "The events after the cursor are no longer kept."
    CURSOR_INVALID = "CURSOR_INVALID", "The cursor is not one of this stream's."
    ACCESS_CHANGED = "ACCESS_CHANGED", "What the viewer may see has changed."
    SLOW_CONSUMER = "SLOW_CONSUMER", "The client fell too far behind."


class TicketListScope(Described):
    """Which tickets a list is about, always within what the viewer may see."""

    MINE = "MINE", "Those the viewer opened (S01)."
    ORGANIZATION = "ORGANIZATION", "All of an organization's, the viewer's own included (S02)."
    FOLLOWING = "FOLLOWING", "Those the viewer follows (S83)."
    SHARED_WITH_ME = "SHARED_WITH_ME", "Those of others that the viewer was put on (S72)."
    UNCLAIMED = "UNCLAIMED", "Those without a requester (S14)."
    ASSIGNED_TO_ME = "ASSIGNED_TO_ME", "Those the viewer handles, as support staff."
    ALL = "ALL", "Every ticket the viewer may see."


class SearchKind(Described):
    """What a search looks for."""

    TICKET = "TICKET", "Tickets, by subject, description and reference."
    MESSAGE = "MESSAGE", "Messages, e-mails and notes of tickets, by their text."
    ESCALATION = "ESCALATION", "Escalations, by description and reference."
    USER = "USER", "People, by name, user name and e-mail address; for support staff."
    ORGANIZATION = "ORGANIZATION", "Organizations, by name; for support staff."
    ROOM = "ROOM", "Meeting rooms, by name."
    DESK = "DESK", "Desks, by name."
    DEVICE = "DEVICE", "Devices, by name and serial number."
    KNOWLEDGE_ARTICLE = "KNOWLEDGE_ARTICLE", "Articles, by title and text."


class OrderDirection(Described):
    """Which end of an order comes first."""

    ASC = "ASC", "Smallest, oldest or first in the alphabet first."
    DESC = "DESC", "Largest, newest or last in the alphabet first."


class Scope(Described):
    """What a token may be used for."""

    TICKET_READ = "TICKET_READ", "Read tickets."
    TICKET_WRITE = "TICKET_WRITE", "Open and change tickets."
    MESSAGE_READ = "MESSAGE_READ", "Read conversations."
    MESSAGE_WRITE = "MESSAGE_WRITE", "Write in conversations."
    NOTE_INTERNAL = "NOTE_INTERNAL", "Read and write internal notes."
    ESCALATION_READ = "ESCALATION_READ", "Read escalations."
    ESCALATION_WRITE = "ESCALATION_WRITE", "Submit and advance escalations."
    INVENTORY_READ = "INVENTORY_READ", "Read rooms, desks and devices."
    USER_READ = "USER_READ", "Read people and organizations."


ACTIVE_STATUSES = (TicketStatus.NEW, TicketStatus.OPEN, TicketStatus.PENDING_CUSTOMER, TicketStatus.ON_HOLD)
"""What a list shows by default: neither resolved nor closed (S35)."""


ACTIVE_CALLS = (ConferenceCallStatus.PENDING, ConferenceCallStatus.ACCEPTED)
ACTIVE_APPOINTMENTS = (AppointmentStatus.REQUESTED, AppointmentStatus.CONFIRMED)
"""What is still to come; a ticket has one of each at most."""


class NotificationKind(Described):
    """What a person is told of."""

    ASSIGNED = "ASSIGNED", "A ticket was given to you."
    REPLIED = "REPLIED", "Somebody wrote on your ticket."
    RESOLVED = "RESOLVED", "Your ticket was resolved."
    CLOSED = "CLOSED", "Your ticket was closed."
    ESCALATION_STAGE = "ESCALATION_STAGE", "The escalation of your ticket entered a stage."
    ADDED = "ADDED", "You were put on a ticket: it was shared with you, or you are its contact."
    MENTIONED = "MENTIONED", "Somebody mentioned you in a note."
    FOLLOWING = "FOLLOWING", "You were made a follower of a ticket."
    CALL = "CALL", "A conference call about your ticket was proposed, moved, answered or called off."
    APPOINTMENT = "APPOINTMENT", "An appointment about your ticket was asked for, moved, confirmed or called off."
    RESOURCE_SHARED = "RESOURCE_SHARED", "Support shared a link on your ticket."
    INVITED = "INVITED", "You were made a member of an organization."


class NotificationChannel(Described):
    """Where a person is told of things."""

    IN_APP = "IN_APP", "In the application: the list of notifications and their stream."
    EMAIL = "EMAIL", "By e-mail. Kept for when the desk sends e-mails; it sends none yet."


class PresenceState(Described):
    """What somebody does who has a ticket open."""

    VIEWING = "VIEWING", "Looks at it."
    TYPING = "TYPING", "Writes a message."
    EDITING = "EDITING", "Changes something of it."
    IDLE = "IDLE", "Has it open and does nothing."
    OFFLINE = "OFFLINE", "Is not shown."
