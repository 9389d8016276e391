"""The words of an exported document that are ours; what people wrote is not among them (S42)."""

from collections.abc import Mapping

from domain.words import Text

Labels = Mapping[str, Text]

REQUEST = Text("Support request")
DESCRIPTION = Text("Description")
PEOPLE = Text("People on this request")
RELATED = Text("Related requests")
ESCALATION = Text("Escalation {reference}")
CONVERSATION = Text("Conversation and activity")
NOTHING_SAID = Text("Nothing has been written yet.")
FEEDBACK = Text("Feedback")
FILES = Text("Attachments")
PAGE = Text("Page {number} of {total}")
EXPORTED = Text("Exported on {moment} for {person}")
TIMES = Text("Times are those of {zone} ({offset}).")
INTERNAL_COPY = Text("Internal: with notes that are for support staff only")
NOT_SHOWN = Text("Some characters have no sign in this document’s font and stand here as ◊. The JSON export has them.")

STATUS = Text("Status")
PRIORITY = Text("Priority")
SEVERITY = Text("Severity")
CHANNEL = Text("Channel")
ORGANIZATION = Text("Organization")
ON_BEHALF_OF = Text("On behalf of")
REQUESTER = Text("Requester")
OWNER = Text("Owner")
ASSIGNEE = Text("Handled by")
REQUEST_TYPE = Text("Request type")
ISSUE_TYPE = Text("Issue type")
PRODUCT = Text("Product")
CERTIFICATE = Text("Certificate")
PLACE = Text("Room or desk")
DEVICES = Text("Devices")
CREATED = Text("Created")
LAST_ACTIVITY = Text("Last activity")
FIRST_RESPONSE = Text("First response")
RESOLVED = Text("Resolved", context="when")
CLOSED = Text("Closed", context="when")
ON_HOLD_UNTIL = Text("On hold until")
ESTIMATE = Text("Estimated resolution")
STAGE = Text("Stage")

SUPPORT = Text("Support", context="who works there")
NOTE = Text("Note")
INTERNAL = Text("Internal")
EMAIL = Text("E-mail")
EDITED = Text("edited")
DELETED = Text("This message was deleted.")
SOMEBODY = Text("Somebody")
ATTACHED = Text("Attached: {files}")
RATING = Text("{rating} of 5")
OVERRIDDEN = Text("Resolved by support without the customer’s answer")

CHANGED = Text("{field}: {new} (before: {old})")
SET = Text("{field}: {new}")
EMPTIED = Text("{field}: nothing any more (before: {old})")
JOINED = Text("New participant: {person}")
LEFT = Text("No longer a participant: {person}")
FOLLOWS = Text("New follower: {person}")
UNFOLLOWS = Text("No longer a follower: {person}")
LINKED = Text("Linked: {link}")
UNLINKED = Text("No longer linked")
SHARED = Text("Shared: {title}")
CALL = Text("Conference call, {moment}: {status}")
APPOINTMENT = Text("Appointment, {moment}: {status}")
ANOTHER_REQUEST = Text("another request")
YES, NO = Text("yes"), Text("no")

STATUSES: Labels = {
    "NEW": Text("New", context="status"),
    "OPEN": Text("Open", context="status"),
    "PENDING_CUSTOMER": Text("Waiting for the customer", context="status"),
    "ON_HOLD": Text("On hold", context="status"),
    "ESCALATED": Text("Escalated", context="status"),
    "RESOLVED": Text("Resolved", context="status"),
    "CLOSED": Text("Closed", context="status"),
}
PRIORITIES: Labels = {
    "URGENT": Text("Urgent", context="priority"),
    "HIGH": Text("High", context="priority"),
    "NORMAL": Text("Normal", context="priority"),
    "LOW": Text("Low", context="priority"),
}
SEVERITIES: Labels = {
    "CRITICAL": Text("Critical", context="severity"),
    "MODERATE": Text("Moderate", context="severity"),
    "MINIMAL": Text("Minimal", context="severity"),
    "UNKNOWN": Text("Not assessed", context="severity"),
}
CHANNELS: Labels = {
    "EMAIL": EMAIL,
    "PHONE": Text("Phone"),
    "CHAT": Text("Chat"),
    "CONFERENCE_CALL": Text("Conference call"),
    "PORTAL": Text("Portal"),
    "API": Text("Another system"),
    "IMPORT": Text("Imported"),
}
STAGES: Labels = {
    "SUBMITTED": Text("Submitted", context="stage"),
    "IN_REVIEW": Text("In review", context="stage"),
    "ENGINEERING_IN_PROGRESS": Text("Engineering in progress", context="stage"),
    "VERIFYING_RESOLUTION": Text("Verifying the resolution", context="stage"),
    "RESOLVED": Text("Resolved", context="stage"),
}
ROLES: Labels = {
    "SUBMITTER": REQUESTER,
    "OWNER": OWNER,
    "CONTACT": Text("Contact"),
    "PARTICIPANT": Text("Participant"),
}
LINKS: Labels = {
    "FOLLOW_UP_OF": Text("{source} goes on from {target}"),
    "RELATED_TO": Text("{source} is related to {target}"),
    "SPLIT_FROM": Text("{source} was split from {target}"),
    "DUPLICATE_OF": Text("{source} is a duplicate of {target}"),
    "MERGED_INTO": Text("{source} was merged into {target}"),
    "BLOCKED_BY": Text("{source} waits for {target}"),
}
CALL_STATUSES: Labels = {
    "PENDING": Text("proposed", context="call"),
    "ACCEPTED": Text("accepted", context="call"),
    "REQUESTED": Text("requested", context="call"),
    "CONFIRMED": Text("confirmed", context="call"),
    "CANCELLED": Text("called off", context="call"),
    "COMPLETED": Text("over", context="call"),
}
REASONS: Labels = {
    "SUPPORT_RESOLVED": Text("solved by support"),
    "CUSTOMER_RESOLVED": Text("solved, as the customer says"),
    "INACTIVITY": Text("no answer from the customer"),
    "DUPLICATE": Text("dealt with in another request"),
    "CUSTOMER_CLOSED": Text("closed by the customer"),
    "ORG_MANAGER_CLOSED": Text("closed by the organization"),
    "SUPPORT_CLOSED": Text("closed by support"),
    "AUTO_AFTER_RESOLVED": Text("closed by itself after it was resolved"),
    "REOPEN_WINDOW_EXPIRED": Text("the time to reopen it ran out"),
    "MERGED": Text("merged into another request"),
}
FIELDS: Labels = {
    "status": STATUS,
    "assignee": ASSIGNEE,
    "owner": OWNER,
    "requester": REQUESTER,
    "subject": Text("Subject"),
    "priority": PRIORITY,
    "severity": SEVERITY,
    "issueType": ISSUE_TYPE,
    "organization": ORGANIZATION,
    "holdUntil": ON_HOLD_UNTIL,
    "locked": Text("Replies stopped by support"),
}
"""Fields of a ticket; another stands under its name in the API."""

VALUES: Mapping[str, Labels] = {
    "status": STATUSES,
    "priority": PRIORITIES,
    "severity": SEVERITIES,
    "locked": {"yes": YES, "no": NO},
}
"""Values of fields that have a word of ours; another is shown as it is."""
