"""What is not there, each in a sentence of its own: languages bend a noun and what stands around it together."""

from domain.words import Text

THERE_IS_NO = {
    "account": Text("There is no such account."),
    "article": Text("There is no such article."),
    "attachment": Text("There is no such file."),
    "certificate": Text("There is no such certificate."),
    "classification": Text("There is no such classification."),
    "customer organization": Text("There is no such customer organization."),
    "desk": Text("There is no such desk."),
    "device": Text("There is no such device."),
    "draft": Text("There is no such draft."),
    "escalation": Text("There is no such escalation."),
    "file": Text("There is no such file."),
    "file of yours that waits to be attached": Text("There is no such file of yours that waits to be attached."),
    "follower": Text("There is no such follower."),
    "group": Text("There is no such group."),
    "issue type": Text("There is no such issue type."),
    "job": Text("There is no such job."),
    "knowledgearticle": Text("There is no such article."),
    "licence": Text("There is no such licence."),
    "link": Text("There is no such link."),
    "list": Text("There is no such list."),
    "membership": Text("There is no such membership."),
    "message": Text("There is no such message."),
    "message on this ticket": Text("There is no such message on this ticket."),
    "notification": Text("There is no such notification."),
    "object": Text("There is no such object."),
    "organization": Text("There is no such organization."),
    "participant": Text("There is no such participant."),
    "person": Text("There is no such person."),
    "person in support": Text("There is no such person in support."),
    "person in this organization": Text("There is no such person in this organization."),
    "product": Text("There is no such product."),
    "request type": Text("There is no such request type."),
    "request type in this project": Text("There is no such request type in this project."),
    "room": Text("There is no such room."),
    "room or desk": Text("There is no such room or desk."),
    "support project": Text("There is no such support project."),
    "ticket": Text("There is no such ticket."),
    "ticketdraft": Text("There is no such draft."),
    "update": Text("There is no such update."),
    "version": Text("There is no such version."),
    "version of its product": Text("There is no such version of its product."),
}


def no_such(what: str) -> Text:
    """That there is no such thing, by its English noun."""
    return THERE_IS_NO.get(what) or Text("There is no such {what}.", what=what)
