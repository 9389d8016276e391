"""Links that support shares on a ticket (S44)."""

from typing import Any

import pytest

import models
from domain.enums import Confidentiality, Visibility
from tests.api.operations import mutate, refusal
from tests.api.world import gid, nothing_changes
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.engine.desk import planned_desk, viewer_of
from tests.factories import make_article, make_member, make_organization, make_resource, make_staff, make_ticket

pytestmark = pytest.mark.anyio

RESOURCE = "resource { id title url article { title } sharedBy { displayName } sharedAt }"
SHOWN = "query($t: ID!) { ticket(id: $t) { resources { title url article { title } } } }"
WATCH = """subscription($t: ID!) { ticket(ticketId: $t) { ... on StreamCaughtUp { cursor } ... on TicketChange {
  changedFields item { ... on ResourceSharedEvent { resource { title } } } } } }"""


async def share(client: Client, ticket: models.Ticket, title: str = "Manual", **given: Any) -> Any:
    return await mutate(client, "ticketResourceShare", RESOURCE, ticketId=gid(ticket), title=title, **given)


async def test_support_shares_addresses_and_articles_with_everybody_on_the_ticket(as_user: AsUser) -> None:  # S44
    acme = await make_organization()
    ann, agent = await make_member(acme), await make_staff(name="Sam")
    ticket, article = await make_ticket(acme, ann), await make_article("Black camera")

    async with as_user(ann).watch(WATCH, t=gid(ticket)) as stream:
        assert "cursor" in await stream.next()
        address = await share(as_user(agent), ticket, " The  manual ", url="https://help.example/a?b=c")
        inside = await share(as_user(agent), ticket, "Read this", articleId=gid(article))
        events = await stream.take(2)

    assert (address["errors"], inside["errors"]) == ([], [])
    assert address["resource"]["sharedBy"] == {"displayName": "Sam"}
    assert (await as_user(ann).ask(SHOWN, t=gid(ticket)))["ticket"]["resources"] == [
        {"title": "The manual", "url": "https://help.example/a?b=c", "article": None},
        {"title": "Read this", "url": None, "article": {"title": "Black camera"}},
    ]
    assert events == [
        {"changedFields": ["resources", "lastSequence"], "item": {"resource": {"title": title}}}
        for title in ("The manual", "Read this")
    ]


async def test_the_same_again_is_shared_once(as_user: AsUser) -> None:  # S44
    acme = await make_organization()
    ticket, agent = await make_ticket(acme, await make_member(acme)), as_user(await make_staff())
    first = await share(agent, ticket, url="https://help.example")

    async with nothing_changes():
        again = await share(agent, ticket, url="https://help.example")
        other = await share(agent, ticket, "Else", url="https://help.example")

    assert again["resource"] == first["resource"]
    assert refusal(other) == ("DUPLICATE", ["input", "title"])
    assert other["errors"][0]["message"] == "This is shared on the ticket already, as “Manual”."


async def test_what_cannot_be_shared_is_refused_and_leaves_no_trace(as_user: AsUser, clock: Clock) -> None:
    """S44, S66: among it an article that the customer could not read."""
    acme = await make_organization()
    ann, agent = await make_member(acme), as_user(await make_staff())
    ticket = await make_ticket(acme, ann)
    closed = await make_ticket(acme, ann, status="CLOSED", closed_at=clock())
    internal = gid(await make_article("For us", visibility=Visibility.INTERNAL))
    gone = "KnowledgeArticle_00000000-0000-0000-0000-000000000000"

    async with nothing_changes():
        for given, expected in (
            ({"articleId": internal}, ("CONFLICT", ["input", "articleId"])),
            ({"articleId": gone}, ("NOT_FOUND", ["input", "articleId"])),
            ({"articleId": gid(ticket)}, ("INVALID", ["input", "articleId"])),
            ({"url": "javascript:alert(1)"}, ("INVALID", ["input", "url"])),
            ({"url": ""}, ("REQUIRED", ["input", "url"])),
            ({}, ("INVALID", ["input", "url"])),
            ({"url": "https://help.example", "articleId": internal}, ("INVALID", ["input", "url"])),
            ({"url": "https://help.example", "title": " "}, ("REQUIRED", ["input", "title"])),
            ({"url": "https://help.example", "title": "x" * 301}, ("INVALID", ["input", "title"])),
        ):
            assert refusal(await share(agent, ticket, **given)) == expected, given
        assert refusal(await share(agent, closed, url="https://help.example"))[0] == "TICKET_CLOSED"
        assert refusal(await share(as_user(ann), ticket, url="https://help.example"))[0] == "FORBIDDEN"


async def test_whoever_does_not_see_the_ticket_does_not_see_what_is_shared_on_it(as_user: AsUser) -> None:  # S07, S44
    acme = await make_organization()
    ann, bob = await make_member(acme), await make_member(acme)
    ticket = await make_ticket(acme, ann, confidentiality=Confidentiality.AUTHOR_ONLY)
    resource = await make_resource(ticket)
    node = "query($r: ID!) { node(id: $r) { id } }"

    assert (await as_user(ann).ask(node, r=gid(resource)))["node"] == {"id": gid(resource)}
    for person in (bob, await make_member(await make_organization("Other"))):
        assert (await as_user(person).ask(node, r=gid(resource)))["node"] is None
        assert (await as_user(person).ask(SHOWN, t=gid(ticket)))["ticket"] is None


async def test_an_article_that_became_internal_is_no_longer_shown_to_customers(db: str, as_user: AsUser) -> None:  # S44
    acme = await make_organization()
    ann, agent = await make_member(acme), await make_staff()
    ticket, article = await make_ticket(acme, ann), await make_article("Black camera")
    await make_resource(ticket, article=article, title="Read this")
    await models.KnowledgeArticle.filter(id=article.id).update(visibility=Visibility.INTERNAL)

    seen = {}
    async with planned_desk(db) as planned:
        for person in (ann, agent):
            found = await planned.agreed(SHOWN, await viewer_of(person), {"t": gid(ticket)})
            assert found is not None
            seen[person.id] = found["ticket"]["resources"][0]["article"]

    assert seen == {ann.id: None, agent.id: {"title": "Black camera"}}
