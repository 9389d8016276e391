"""Articles: PUBLIC ones are read by anyone signed in, INTERNAL ones by support, who writes them all."""

from typing import Any

import pytest

import models
from tests.api.world import STAFF, VIEWERS, codes, gid, make_world, nothing_changes
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import make_article, make_member, make_organization, make_staff

pytestmark = pytest.mark.anyio

READ = "query($id: ID!) { knowledgeArticle(id: $id) { title body } node(id: $id) { id } }"
SAVE = """mutation($input: KnowledgeArticleSaveInput!) { knowledgeArticleSave(input: $input) {
  article { id title body locale visibility helpfulCount } errors { code field } } }"""
RATE = """mutation($input: KnowledgeArticleRateInput!) { knowledgeArticleRate(input: $input) {
  article { helpfulCount } errors { code field } } }"""
NEW = {"title": "Black camera", "body": "Unplug it.", "locale": "en", "visibility": "PUBLIC"}


async def save(client: Client, **given: Any) -> Any:
    return (await client.ask(SAVE, input={**NEW, **given}))["knowledgeArticleSave"]


async def test_everybody_signed_in_reads_public_articles_and_support_the_internal_ones_too(as_user: AsUser) -> None:
    world = await make_world()
    public, internal = await make_article("Public"), await make_article("Internal", visibility="INTERNAL")

    seen: dict[str, list[bool]] = {}
    for name in VIEWERS:
        found = [(await as_user(world.people[name]).answer(READ, id=gid(each)))[0] for each in (public, internal)]
        seen[name] = [bool(each and each["knowledgeArticle"]) for each in found]
        assert seen[name] == [bool(each and each["node"]) for each in found]

    assert seen == {name: [name != "nobody", name in STAFF] for name in VIEWERS}


async def test_support_writes_an_article_and_writes_it_anew(as_user: AsUser) -> None:
    sam = as_user(await make_staff())

    made = await save(sam, body="Unplug it.\r\nWait.")
    again = await save(sam, articleId=made["article"]["id"], title="  Dark   camera ", visibility="INTERNAL")

    assert made == {
        "article": {**NEW, "id": made["article"]["id"], "body": "Unplug it.\nWait.", "helpfulCount": 0},
        "errors": [],
    }
    assert again["article"] == {
        **made["article"],
        "title": "Dark camera",
        "body": "Unplug it.",
        "visibility": "INTERNAL",
    }
    assert await models.KnowledgeArticle.all().count() == 1


async def test_nobody_else_writes_one_and_a_bad_one_is_refused(as_user: AsUser) -> None:
    ann, sam = as_user(await make_member(await make_organization("Acme"))), as_user(await make_staff())

    async with nothing_changes():
        assert (await save(ann))["errors"] == [{"code": "FORBIDDEN", "field": None}]
        for given, code, field in (
            ({"title": ""}, "REQUIRED", "title"),
            ({"title": "x" * 301}, "INVALID", "title"),
            ({"body": "x" * 10_000_000}, "INVALID", "body"),
            ({"body": "a\x00b"}, "INVALID", "body"),
            ({"body": "\ud800"}, "INVALID", "body"),
            ({"locale": "?"}, "INVALID", "locale"),
            ({"articleId": "KnowledgeArticle_019a0000-0000-7000-8000-000000000001"}, "NOT_FOUND", "articleId"),
            ({"articleId": "Ticket_019a0000-0000-7000-8000-000000000001"}, "INVALID", "articleId"),
        ):
            answer = await save(sam, **given)
            assert answer == {"article": None, "errors": [{"code": code, "field": ["input", field]}]}, str(given)[:60]


async def test_a_persons_last_word_about_an_article_counts_once(as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    ann, bob = as_user(await make_member(acme)), as_user(await make_member(acme))
    written = await make_article("Black camera")

    async def rate(client: Client, helpful: bool) -> int:
        given = {"articleId": gid(written), "helpful": helpful}
        answer = (await client.ask(RATE, input=given))["knowledgeArticleRate"]
        assert answer["errors"] == []
        return answer["article"]["helpfulCount"]  # type: ignore[no-any-return]

    counts = [await rate(client, helpful) for client, helpful in ((ann, True), (ann, True), (bob, True), (ann, False))]

    assert counts == [1, 1, 2, 1]


async def test_an_article_that_one_may_not_see_cannot_be_rated(as_user: AsUser) -> None:
    ann = as_user(await make_member(await make_organization("Acme")))
    hidden = await make_article("Internal", visibility="INTERNAL")

    async with nothing_changes():
        data, errors = await ann.answer(RATE, input={"articleId": gid(hidden), "helpful": True})
        assert (data["knowledgeArticleRate"]["errors"], errors) == (
            [{"code": "NOT_FOUND", "field": ["input", "articleId"]}],
            [],
        )
        _, errors = await as_user(None).answer(RATE, input={"articleId": gid(hidden), "helpful": True})
        assert codes(errors) in ([], ["UNAUTHENTICATED"])
