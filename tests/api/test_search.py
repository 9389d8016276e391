"""S38: search over everything, in every language of the desk, with the viewer's rights applied before counting."""

from typing import Any

import pytest

import models
from domain.enums import MemberVisibility, OrganizationRole, Visibility
from tests.api.test_list_cost import counted
from tests.api.world import World, codes, gid, make_world
from tests.client import Client
from tests.conftest import AsUser
from tests.factories import (
    LONG_AGO,
    make_article,
    make_escalation,
    make_member,
    make_message,
    make_organization,
    make_staff,
    make_ticket,
)

pytestmark = pytest.mark.anyio

SEARCH = """query($text: String!, $kinds: [SearchKind!], $organizationId: ID, $first: Int, $after: Cursor) {
  search(text: $text, kinds: $kinds, organizationId: $organizationId, first: $first, after: $after) {
    totalCount nodes { kind score highlights node { id } } edges { cursor } pageInfo { hasNextPage endCursor } } }"""


async def search(client: Client, text: str, **given: Any) -> Any:
    return (await client.ask(SEARCH, text=text, **given))["search"]


async def kinds(client: Client, text: str, **given: Any) -> list[str]:
    """What is found; and that as much is counted."""
    found = await search(client, text, **given)
    assert found["totalCount"] == len(found["nodes"])
    return [each["kind"] for each in found["nodes"]]


FOUND_BY = [
    ("La videocamera è nera perché il cavo è staccato", ["perche", "PERCHÉ", "e nera", "videoc stacc"]),
    ("Ещё раз: ёлка на столе не включается, мой Мир", ["еще", "ещё", "ЁЛКА", "елк столе", "включ", "мой"]),
    ("Où est le cœur du problème ? Déjà reçu", ["ou coeur", "cœur", "probleme", "deja recu", "DÉJÀ"]),
    ("A câmera não está ligada em São Paulo", ["camera nao", "câmera", "sao paulo", "SÃO"]),
    ("The camera's firmware 2.1 won't install on Jürgen's hub", ["firmware 2", "jurgen", "camera s won t", "hub"]),
]
FOUND_BY_NOTHING = ["amera", "xyz", "perche xyz", "мои", "ideocamera"]


async def test_text_of_every_language_is_found_by_word_and_beginning_with_accents_and_without(as_user: AsUser) -> None:
    """S38: Italian, Russian, French, Portuguese and English."""
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    rows = [await make_ticket(acme, None, subject=f"№{n}", description=text) for n, (text, _) in enumerate(FOUND_BY)]

    wrong = [
        (text, given)
        for row, (text, words) in zip(rows, FOUND_BY, strict=True)
        for given in words
        if gid(row) not in [each["node"]["id"] for each in (await search(ann, given))["nodes"]]
    ]

    assert wrong == []
    assert [await kinds(ann, given) for given in FOUND_BY_NOTHING] == [[]] * len(FOUND_BY_NOTHING)


HARMLESS = (
    *('"near', "NEAR(", "camera*", "(camera OR", "-camera", "said: camera", "{title}: camera", "^camera", "!camera"),
    *("camera' ; DROP", "camera\\", "camera:*", "camera & | <-> near", "%camera%"),
)


async def test_signs_and_operators_in_the_text_have_no_meaning(as_user: AsUser) -> None:  # S38
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    await make_ticket(acme, None, subject='He said: "NEAR the camera" OR not')

    for harmless in HARMLESS:
        data, errors = await ann.answer(SEARCH, text=harmless)
        assert errors == [], harmless
        assert data["search"]["totalCount"] == (0 if "DROP" in harmless or "title" in harmless else 1), harmless
    assert await kinds(ann, "?!") == []


async def test_what_cannot_be_searched_for_is_refused_with_a_code(as_user: AsUser) -> None:  # S38
    acme, other = await make_organization("Acme"), await make_organization("Other")
    ann = as_user(await make_member(acme, name="Ann"))
    good = (await ann.ask(SEARCH, text="x"))["search"]["pageInfo"]["endCursor"]
    assert good is None

    for given, code in (
        ({"text": ""}, "REQUIRED"),
        ({"text": "x" * 201}, "INVALID"),
        ({"text": "x" * 10_000_000}, "INVALID"),
        ({"text": "a\x00b"}, "INVALID"),
        ({"text": "\ud800"}, "INVALID"),
        ({"text": "x", "first": -1}, "INVALID"),
        ({"text": "x", "first": 101}, "INVALID"),
        ({"text": "x", "after": "garbage"}, "INVALID"),
        ({"text": "x", "organizationId": "garbage"}, "INVALID"),
        ({"text": "x", "organizationId": gid(other)}, "NOT_FOUND"),
    ):
        data, errors = await ann.answer(SEARCH, **given)
        assert (data, codes(errors)) == (None, [code]), str(given)[:60]
    data, errors = await as_user(None).answer(SEARCH, text="x")
    assert (data, codes(errors)) == (None, ["UNAUTHENTICATED"])


async def the_shed(world: World) -> None:
    """The word "shed" in one of everything of Acme, and in some that not everybody may see."""
    world.ticket.subject = "The shed"
    await world.ticket.save()
    await make_message(world.ticket, world["author"], "shed")
    await make_message(world.ticket, world["agent"], "shed, says the agent", Visibility.INTERNAL)
    world.escalation.issue_description = "shed"
    await world.escalation.save()
    world.space.name = world.device.name = "shed"
    await world.space.save()
    await world.device.save()
    await models.Space.create(organization=world.acme, kind=models.SpaceKind.DESK, name="shed")
    await make_article("shed"), await make_article("shed", visibility="INTERNAL")
    world["stranger"].display_name = world.other.name = "shed"
    await world["stranger"].save()
    await world.other.save()


async def test_whatever_is_found_shows_where_its_words_stand_and_nothing_of_it_is_markup(as_user: AsUser) -> None:
    """S38: rows of every kind."""
    world = await make_world()
    await the_shed(world)
    world.ticket.subject = "<b>The shed</b> & more"
    await world.ticket.save()

    found = (await search(as_user(world["agent"]), "SHED", first=100))["nodes"]

    shown = {each["kind"]: each["highlights"] for each in found}
    assert shown.keys() == set(EVERYTHING)
    assert shown.pop("TICKET") == ["&lt;b&gt;The <mark>shed</mark>&lt;/b&gt; &amp; more"]
    messages = {each["highlights"][0] for each in found if each["kind"] == "MESSAGE"}
    assert messages == {"<mark>shed</mark>", "<mark>shed</mark>, says the agent"}
    assert {text for kind, texts in shown.items() if kind != "MESSAGE" for text in texts} == {"<mark>shed</mark>"}


OF_PLACES = ["DESK", "DEVICE", "KNOWLEDGE_ARTICLE", "ROOM"]
OF_TICKET = ["ESCALATION", "MESSAGE", "TICKET"]
EVERYTHING = [*OF_PLACES, "KNOWLEDGE_ARTICLE", *OF_TICKET, "MESSAGE", "ORGANIZATION", "USER"]


@pytest.mark.parametrize("preset", list(MemberVisibility))
async def test_nobody_finds_or_counts_what_they_may_not_see(as_user: AsUser, preset: MemberVisibility) -> None:
    """S03, S07, S38, J4: not in the page, not in the count."""
    world = await make_world(preset)
    await the_shed(world)
    seen = {
        "owner": [*OF_PLACES, *OF_TICKET],
        "author": [*OF_PLACES, *OF_TICKET],
        "member": [*OF_PLACES, *(OF_TICKET if preset is MemberVisibility.OPEN else [])],
        "licences": OF_PLACES,
        "stranger": ["KNOWLEDGE_ARTICLE"],
        "agent": EVERYTHING,
    }

    found = {name: sorted(await kinds(as_user(world[name]), "shed", first=100)) for name in seen}

    assert found == {name: sorted(each) for name, each in seen.items()}


async def test_a_ticket_of_the_author_alone_is_found_by_its_author_and_support(as_user: AsUser) -> None:  # S07, S38
    world = await make_world()
    await make_ticket(world.acme, world["author"], subject="Bonus paid twice", confidentiality="AUTHOR_ONLY")

    found = {name: await kinds(as_user(world[name]), "bonus") for name in ("author", "agent", "owner", "member")}

    assert found == {"author": ["TICKET"], "agent": ["TICKET"], "owner": [], "member": []}


async def test_a_serial_number_is_found_only_by_whom_it_is_shown_to(as_user: AsUser) -> None:  # S37, S38, S96
    world = await make_world(MemberVisibility.OWN)

    found = {
        name: await kinds(as_user(world[name]), "sn-1") for name in ("owner", "member", "reader", "stranger", "agent")
    }

    assert found == {"owner": ["DEVICE"], "member": ["DEVICE"], "reader": [], "stranger": [], "agent": ["DEVICE"]}


async def test_who_leaves_an_organization_finds_nothing_of_it_any_more(as_user: AsUser) -> None:  # S10, J4
    world = await make_world()
    await the_shed(world)

    await (await models.Membership.get(user=world["author"])).delete()

    assert await kinds(as_user(world["author"]), "shed") == ["KNOWLEDGE_ARTICLE"]


async def test_the_reference_itself_comes_first_then_titles_then_texts_and_the_newest_of_each(as_user: AsUser) -> None:
    """S38: by ticket reference and by escalation reference, as people quote them."""
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    ticket = await make_ticket(acme, None, subject="Quoted below")
    titles = [await make_ticket(acme, None, subject=f"Again {ticket.reference}") for _ in range(2)]
    texts = [await make_ticket(acme, None, description=f"As in {ticket.reference}, it broke.") for _ in range(2)]
    escalation = await make_escalation(ticket)

    found = await search(ann, f" {ticket.reference.lower()} ")
    escalated = await search(ann, escalation.reference)

    wanted = [(gid(row), score) for row, score in (
        (ticket, 1.0), (titles[1], 0.6), (titles[0], 0.6), (texts[1], 0.3), (texts[0], 0.3))]  # fmt: skip
    assert [(each["node"]["id"], each["score"]) for each in found["nodes"]] == wanted
    assert found["totalCount"] == 5
    number = ticket.reference.partition("-")[2]
    assert found["nodes"][3]["highlights"] == [f"As in T-<mark>{number}</mark>, it broke."]
    assert [(each["kind"], each["score"]) for each in escalated["nodes"]] == [("ESCALATION", 1.0)]


async def test_pages_put_together_are_the_whole_and_stay_right_while_rows_come_in(as_user: AsUser) -> None:  # S38, J5
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    for n in range(7):
        await make_ticket(acme, None, **({"subject": "Lamp"} if n % 2 else {"description": "A lamp"}))
    whole = [each["node"]["id"] for each in (await search(ann, "lamp"))["nodes"]]

    first = await search(ann, "lamp", first=2)
    await make_ticket(acme, None, subject="New lamp")
    behind = await make_ticket(acme, None, description="New lamp")
    found, page = first["nodes"], first
    while page["pageInfo"]["hasNextPage"]:
        page = await search(ann, "lamp", first=2, after=page["pageInfo"]["endCursor"])
        assert len(page["nodes"]) <= 2
        found += page["nodes"]

    assert [each["node"]["id"] for each in found] == [*whole[:3], gid(behind), *whole[3:]]
    assert page["totalCount"] == 9
    data, errors = await ann.answer(SEARCH, text="other", after=first["pageInfo"]["endCursor"])
    assert (data, codes(errors)) == (None, ["INVALID"]), "a cursor of another search"


async def test_a_search_can_be_narrowed_to_kinds_and_to_an_organization(as_user: AsUser) -> None:  # S10, S37, S38
    world = await make_world()
    await the_shed(world)
    both = await make_member(world.acme, OrganizationRole.OWNER, "Both")
    await models.Membership.create(organization=world.other, user=both, role=OrganizationRole.OWNER, joined_at=LONG_AGO)
    await make_ticket(world.other, None, subject="Their shed")
    owner, agent = as_user(both), as_user(world["agent"])

    assert sorted(await kinds(owner, "shed", kinds=["ROOM", "DEVICE"])) == ["DEVICE", "ROOM"]
    assert await kinds(owner, "shed", kinds=[]) == []
    assert await kinds(owner, "shed", kinds=["USER", "ORGANIZATION"]) == []
    assert await kinds(owner, "shed", organizationId=gid(world.other)) == ["TICKET"]
    assert sorted(await kinds(agent, "shed", kinds=["USER", "ORGANIZATION"])) == ["ORGANIZATION", "USER"]
    assert await kinds(agent, "shed", kinds=["TICKET"], organizationId=gid(world.acme)) == ["TICKET"]


async def test_what_is_changed_withdrawn_or_erased_is_found_as_it_is_now(as_user: AsUser) -> None:  # S38
    world = await make_world()
    owner = as_user(world["owner"])
    message = await make_message(world.ticket, world["author"], "My password is swordfish")
    assert await kinds(owner, "swordfish") == ["MESSAGE"]

    message.body = "My password is secret"
    await message.save()
    assert (await kinds(owner, "swordfish"), await kinds(owner, "secret")) == ([], ["MESSAGE"])
    message.deleted_at = LONG_AGO
    await message.save()
    assert await kinds(owner, "secret") == []
    assert await kinds(owner, "broken") == ["MESSAGE"]
    await models.Ticket.filter(id=world.ticket.id).delete()
    assert await kinds(owner, "broken") == []
    assert await models.SearchDocument.filter(ticket_id=world.ticket.id).count() == 0


async def test_a_search_takes_as_many_statements_for_fifty_as_for_five(as_user: AsUser) -> None:  # J5
    acme = await make_organization("Acme")
    ann = as_user(await make_member(acme, name="Ann"))
    ann.both = None  # once, to be counted
    for n in range(50):
        await make_ticket(acme, None, **({"subject": "Lamp"} if n % 2 else {"description": "A lamp"}))
    taken = {}
    for first in (30, 50):
        with counted() as sent:
            assert len((await search(ann, "lamp", first=first))["nodes"]) == first
        taken[first] = [each for each in sent if "search_document" in each or 'FROM "ticket"' in each]

    assert len(taken[30]) == len(taken[50]) == 5, "one for each rank, the count, the rows"


async def test_a_list_of_tickets_is_searched_in_everything_that_they_say_to_the_viewer(as_user: AsUser) -> None:
    """S38: subject, content, reference, escalation reference; internal notes for support alone."""
    acme = await make_organization("Acme")
    ann, sam = as_user(await make_member(acme, name="Ann")), as_user(await make_staff())
    said = {name: await make_ticket(acme, None, subject="x", description="x") for name in ("a", "b", "c", "d", "e")}
    said["a"].subject = "Кабель повреждён"
    said["b"].description = "Il cavo è rotto, perché"
    await said["a"].save()
    await said["b"].save()
    await make_message(said["c"], None, "Câmera preta")
    await make_message(said["d"], None, "Known defect", Visibility.INTERNAL)
    escalation = await make_escalation(said["e"], issue_description="Le câble fond")
    ask = """query($filter: TicketFilter) { tickets(scope: ALL, filter: $filter) { totalCount nodes { id } } }"""

    async def listed(client: Client, text: str, **more: Any) -> list[str]:
        found = (await client.ask(ask, filter={"text": text, **more}))["tickets"]
        assert found["totalCount"] == len(found["nodes"])
        return [name for name, row in said.items() if gid(row) in [each["id"] for each in found["nodes"]]]

    assert await listed(ann, "поврежден кабель") == ["a"]
    assert await listed(ann, "perche") == ["b"]
    assert await listed(ann, "camera") == ["c"]
    assert (await listed(ann, "defect"), await listed(sam, "defect")) == ([], ["d"])
    assert await listed(ann, escalation.reference) == await listed(ann, "cable fond") == ["e"]
    assert await listed(ann, said["c"].reference) == ["c"]
    assert await listed(ann, "?!") == []
    assert await listed(ann, "camera", statuses=["CLOSED"]) == []
    assert (await ann.ask(ask, filter={"not": {"text": "x"}}))["tickets"]["totalCount"] == 0
    for text, code in (("", "REQUIRED"), ("x" * 201, "INVALID"), ("\x00", "REQUIRED"), ("a\x00", "INVALID")):
        data, errors = await ann.answer(ask, filter={"text": text})
        assert (data, codes(errors)[0] in (code, "INVALID")) == (None, True), repr(text)
