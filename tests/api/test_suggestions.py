"""S21: solved problems like the one being reported, while the subject is typed."""

from datetime import timedelta
from typing import Any

import pytest

import models
from domain.enums import OrganizationRole, TicketStatus
from tests.api.test_list_cost import counted
from tests.api.world import codes, gid, make_world
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_article,
    make_member,
    make_organization,
    make_request_type,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

SUGGEST = """query($subject: String!, $key: String, $product: ID, $locale: Locale, $first: Int) {
  suggestedSolutions(subject: $subject, requestTypeKey: $key, productId: $product, locale: $locale, first: $first) {
    title excerpt score article { id } ticket { id } } }"""
SOLVED: dict[str, Any] = {"status": TicketStatus.RESOLVED, "resolved_at": LONG_AGO}


async def suggested(client: Client, subject: str, **given: Any) -> list[Any]:
    return (await client.ask(SUGGEST, subject=subject, **given))["suggestedSolutions"]  # type: ignore[no-any-return]


async def titles(client: Client, subject: str, **given: Any) -> list[str]:
    return [each["title"] for each in await suggested(client, subject, **given)]


async def test_solved_tickets_and_articles_about_the_same_are_suggested_the_most_alike_first(as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    near = await make_ticket(acme, None, subject="Camera black after update", **SOLVED)
    await make_ticket(acme, None, subject="Screen", description="The camera was black.", **SOLVED)
    await make_ticket(acme, None, subject="Camera is black", description="Still open")
    await make_ticket(acme, None, subject="Camera white", **SOLVED)
    written = await make_article("When the camera turns black", "Unplug it, then update the firmware.")

    found = await suggested(ann, "My camera is black, the update is")

    assert [(each["title"], each["score"]) for each in found] == [
        ("Camera black after update", 1.0),
        ("When the camera turns black", 0.8333),
        ("Screen", 0.3333),
    ]
    assert found[0]["ticket"] == {"id": gid(near)}
    assert found[0]["article"] is None
    assert found[1] == {
        "title": "When the camera turns black",
        "excerpt": "Unplug it, then update the firmware.",
        "score": 0.8333,
        "article": {"id": gid(written)},
        "ticket": None,
    }


@pytest.mark.parametrize(
    ("accented", "plain"),
    [
        ("Videocamera nera perché è già staccata", "videocamera nera perche e gia staccata"),
        ("Чёрная камера ещё мигает", "черная камера еще мигает"),
        ("Caméra éteinte après la mise à jour", "camera eteinte apres la mise a jour"),
        ("Câmera não liga na reunião", "camera nao liga na reuniao"),
        ("The café's naïve camera fails", "the cafe s naive camera fails"),
    ],
)
async def test_every_language_is_understood_with_accents_and_without(
    as_user: AsUser, accented: str, plain: str
) -> None:
    """S21: in what is asked as in what was solved or written."""
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    for text in (accented, plain):
        await make_ticket(acme, None, subject=text, **SOLVED)
        await make_article("How to", f"So: {text}.")

    for asked in (accented, plain, accented.upper()):
        found = await suggested(ann, asked)
        assert [each["score"] for each in found[:2]] == [1.0, 1.0], asked
        assert sorted(each["title"] for each in found) == sorted([accented, plain, "How to", "How to"]), asked


async def test_what_was_filed_before_the_history_is_not_suggested(as_user: AsUser) -> None:
    """S12, S21: to the microsecond, its author included; support is suggested it."""
    acme = await make_organization("Acme", history_starts_at=LONG_AGO)
    ann = await make_member(acme, name="Ann")
    before = LONG_AGO - timedelta(microseconds=1)
    await make_ticket(acme, ann, subject="Black picture before", created_at=before, **SOLVED)
    await make_ticket(acme, ann, subject="Black picture since", created_at=LONG_AGO, **SOLVED)

    assert await titles(as_user(ann), "black picture") == ["Black picture since"]
    assert len(await titles(as_user(await make_staff()), "black picture")) == 2


async def test_nobody_is_suggested_what_they_may_not_see(as_user: AsUser) -> None:  # S07, S21, J4
    world = await make_world()
    of_author = {"confidentiality": "AUTHOR_ONLY", **SOLVED}
    await make_ticket(world.acme, world["author"], subject="Bonus payment missing", **of_author)
    await make_ticket(world.other, None, subject="Bonus payment doubled", **SOLVED)
    await make_article("Bonus payment rules", visibility="INTERNAL")

    found = {name: sorted(await titles(as_user(world[name]), "bonus payment")) for name in ("author", "owner", "agent")}

    assert found == {
        "author": ["Bonus payment missing"],
        "owner": [],
        "agent": ["Bonus payment doubled", "Bonus payment missing", "Bonus payment rules"],
    }


async def test_a_request_type_a_product_and_a_language_narrow_what_is_suggested(as_user: AsUser) -> None:
    acme, kind = await make_organization("Acme"), await make_request_type("TECHNICAL")
    camera = await models.Product.create(name="Camera")
    ann = as_user(await make_member(acme, name="Ann"))
    await make_ticket(acme, None, subject="Black picture one", request_type=kind, language="it", **SOLVED)
    await make_ticket(acme, None, subject="Black picture two", product=camera, language="en-GB", **SOLVED)
    await make_article("Black picture three", locale="pt-BR")
    ask = "black picture"

    assert await titles(ann, ask, key="technical") == ["Black picture one", "Black picture three"]
    assert await titles(ann, ask, key="NONE") == ["Black picture three"]
    assert await titles(ann, ask, product=gid(camera)) == ["Black picture two", "Black picture three"]
    assert await titles(ann, ask, locale="en") == ["Black picture two"]
    assert await titles(ann, ask, locale="pt") == ["Black picture three"]


async def test_it_takes_three_statements_however_many_are_found(as_user: AsUser) -> None:  # S21, J5
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, OrganizationRole.OWNER))
    await make_article("Camera black")
    for n in range(30):
        await make_ticket(acme, None, subject=f"Camera black {n}", **SOLVED)
    ann.both = None  # once, to be counted

    for first in (3, 20):
        with counted() as sent:
            assert len(await titles(ann, "camera black", first=first)) == first
        tables = ("search_document", 'FROM "ticket"', 'FROM "knowledge_article"')
        assert len([each for each in sent if any(table in each for table in tables)]) == 3, sent


async def test_a_subject_that_says_nothing_yet_has_no_suggestions_and_a_bad_one_is_refused(as_user: AsUser) -> None:
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    await make_ticket(acme, None, subject="The camera", **SOLVED)

    for nothing in ("", "  ", "?", "the", "it is not", "ca"):
        assert await suggested(ann, nothing) == [], nothing
    assert await titles(ann, "the cam") == ["The camera"]
    assert await titles(ann, "camera", first=0) == []
    for given in (
        {"subject": "x" * 301},
        {"subject": "x" * 10_000_000},
        {"subject": "a\x00b"},
        {"subject": "\ud800"},
        {"subject": "x", "first": -1},
        {"subject": "x", "first": 21},
        {"subject": "x", "product": gid(acme)},
    ):
        data, errors = await ann.answer(SUGGEST, **given)
        assert (data, codes(errors)) == (None, ["INVALID"]), str(given)[:50]
    data, errors = await as_user(None).answer(SUGGEST, subject="camera")
    assert (data, codes(errors)) == (None, ["UNAUTHENTICATED"])
    assert await titles(as_user(await make_staff()), "camera") == ["The camera"]
