"""Which language a client is spoken to in, over HTTP and on sockets; and nobody in another's (S42)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import models
from domain.enums import StaffRole
from resolvers import tickets
from resolvers.context import Context
from resolvers.viewers import load_viewer
from tests.databases import ENGINES
from tests.factories import make_member
from tests.server.desk import Desk, running_desk
from tests.server.running import Watch, http, until

pytestmark = pytest.mark.anyio

NOTICE = "query($t: ID!, $l: Locale) { ticket(id: $t) { notice(locale: $l) { text } } }"
CHANGES = """subscription($t: ID!, $l: Locale) { ticket(ticketId: $t) { __typename ... on StreamCaughtUp { cursor }
  ... on TicketChange { ticket { status notice(locale: $l) { text } requestType { name } } } } }"""

FRENCH, ITALIAN, RUSSIAN = "Ce ticket est définitivement clos.", "Questo ticket è chiuso", "Это обращение закрыто"
ENGLISH, PORTUGUESE = "This ticket is closed for good.", "Este pedido está definitivamente fechado."


@pytest.fixture
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(getattr(request, "param", "sqlite"), tmp_path) as desk:
        yield desk


async def close(desk: Desk) -> None:
    viewer = await load_viewer(desk.sam.id)
    assert viewer is not None
    await tickets.close_ticket(Context(viewer, desk.served.casewire.services), desk.ticket.id)


async def asked(desk: Desk, user: models.User, *, plain: bool = True, **headers: str) -> str:
    """The ticket's notice, by the short way or by the ordinary one."""
    async with http(desk.served.address, desk.served.token(user), **headers) as client:
        body: dict[str, Any] = {"query": NOTICE, "variables": {"t": desk.id}}
        if not plain:
            body["extensions"] = {"any": 1}
        answer = (await client.post("/graphql", json=body)).json()
    text: str = answer["data"]["ticket"]["notice"]["text"]
    return text


@pytest.mark.parametrize("plain", [True, False])
async def test_a_client_is_answered_in_a_language_that_it_accepts(desk: Desk, plain: bool) -> None:  # S42
    await close(desk)

    assert (await asked(desk, desk.ann, plain=plain)).startswith(ENGLISH)
    assert (await asked(desk, desk.ann, plain=plain, accept_language="de, ru;q=0.8, en;q=0.5")).startswith(RUSSIAN)
    assert (await asked(desk, desk.ann, plain=plain, accept_language="de")).startswith(ENGLISH)


async def test_what_a_person_chose_counts_more_than_what_the_client_accepts(desk: Desk) -> None:  # S42
    await close(desk)
    await models.User.filter(id=desk.ann.id).update(locale="it-CH")

    assert (await asked(desk, desk.ann, accept_language="ru")).startswith(ITALIAN)
    assert (await asked(desk, desk.bob, accept_language="ru")).startswith(RUSSIAN)


async def test_whoever_chose_and_accepts_nothing_is_spoken_to_as_the_server_is_set(tmp_path: Path) -> None:  # S42
    async with running_desk("sqlite", tmp_path, settings={"default_locale": "pt"}) as desk:
        await close(desk)

        assert (await asked(desk, desk.ann)).startswith(PORTUGUESE)
        assert (await asked(desk, desk.ann, accept_language="de")).startswith(PORTUGUESE)
        assert (await asked(desk, desk.ann, accept_language="fr")).startswith(FRENCH)


async def test_refusals_are_told_in_it_too_and_keep_their_codes(desk: Desk) -> None:  # S42, J9
    await models.User.filter(id=desk.ann.id).update(locale="ru")
    document = "mutation($t: ID!) { ticketClose(input: {ticketId: $t, reason: MERGED}) { errors { code message } } }"
    missing = '{ ticket(id: "Desk_01a22ee8-23f8-7492-b794-aadcc5a718f8") { id } }'

    async with http(desk.served.address, desk.served.token(desk.ann)) as client:
        payload = (await client.post("/graphql", json={"query": document, "variables": {"t": desk.id}})).json()
        whole = (await client.post("/graphql", json={"query": missing})).json()
    async with http(desk.served.address, "nonsense", accept_language="fr") as client:
        stranger = (await client.post("/graphql", json={"query": missing})).json()

    (refusal,) = payload["data"]["ticketClose"]["errors"]
    assert refusal["code"] == "INVALID"
    assert refusal["message"].startswith("Причину MERGED указать нельзя.")
    assert [(each["message"], each["extensions"]["code"]) for each in whole["errors"]] == [
        ("Такого обращения нет.", "NOT_FOUND")
    ]
    assert [(each["message"], each["extensions"]["code"]) for each in stranger["errors"]] == [
        ("Connectez-vous et envoyez un jeton (bearer) valide.", "UNAUTHENTICATED")
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ENGLISH),
        ({"headers": {"accept-language": "fr"}}, FRENCH),
        ({"init": {"acceptLanguage": "it-CH, de"}}, ITALIAN),
        ({"init": {"Accept-Language": "ru"}, "headers": {"accept-language": "fr"}}, RUSSIAN),
        ({"init": {"acceptLanguage": 7}, "headers": {"accept-language": "fr"}}, FRENCH),
    ],
)
async def test_a_socket_says_what_it_accepts_when_it_begins(
    desk: Desk, given: dict[str, Any], told: str
) -> None:  # S42
    await close(desk)

    watch = await (await desk.socket(desk.ann, **given)).watch(NOTICE, t=desk.id)

    assert (await watch.next())["notice"]["text"].startswith(told)


async def test_a_refused_subscription_is_told_why_in_the_readers_language(desk: Desk) -> None:  # S42
    await models.User.filter(id=desk.ann.id).update(locale="it")
    watch = await (await desk.socket(desk.ann)).watch(CHANGES, t="Ticket_01a22ee8-23f8-7492-b794-aadcc5a718f8")

    message = await watch.message()

    assert [each["message"] for each in message["payload"]] == ["Questo ticket non esiste."]


@pytest.mark.parametrize("desk", ENGINES, indirect=True)
async def test_everybody_who_follows_is_told_in_the_own_language_by_one_execution_for_each(desk: Desk) -> None:  # S42
    """Those who follow alike are one group, and are sent the same bytes: those of one language."""
    people = {None: [desk.ann], "ru": [desk.bob], "pt-BR": [], "fr": [desk.kim]}
    for locale in ("ru", "ru-RU", "pt-BR", "pt"):
        person = await make_member(desk.organization, name=f"One who reads {locale}")
        people["ru" if locale.startswith("ru") else "pt-BR"].append(person)
        await models.User.filter(id=person.id).update(locale=locale)
    for locale in ("ru", "fr"):
        await models.User.filter(id=people[locale][0].id).update(locale=locale)
    watches: dict[str | None, list[Watch]] = {locale: [] for locale in people}
    number = 0
    for locale, readers in people.items():
        for reader in readers:
            number += 1
            watches[locale].append(await (await desk.watch(reader, CHANGES)).caught_up())
            await until(lambda number=number: desk.grouped == number)  # type: ignore[misc]
    executed, planned = desk.served.fanout.executions, len(desk.served.fanout.groups)

    await close(desk)

    told = {None: ENGLISH, "ru": RUSSIAN, "pt-BR": PORTUGUESE, "fr": FRENCH}
    for locale, each in watches.items():
        for watch in each:
            change = (await watch.next())["ticket"]
            assert change["status"] == "CLOSED"
            assert change["notice"]["text"].startswith(told[locale]), locale
    assert planned == 4
    assert desk.served.fanout.executions - executed == 4


async def test_an_argument_counts_for_those_who_follow_with_it(desk: Desk) -> None:  # S42
    plain = await (await desk.watch(desk.ann, CHANGES)).caught_up()
    italian = await (await desk.watch(desk.ann, CHANGES, l="it")).caught_up()
    unknown = await (await desk.watch(desk.bob, CHANGES, l="de")).caught_up()
    await until(lambda: desk.grouped == 3)

    await close(desk)

    assert (await plain.next())["ticket"]["notice"]["text"].startswith(ENGLISH)
    assert (await italian.next())["ticket"]["notice"]["text"].startswith(ITALIAN)
    assert (await unknown.next())["ticket"]["notice"]["text"].startswith(ENGLISH)


async def test_a_language_chosen_later_counts_for_the_next_request(desk: Desk) -> None:  # S42
    await close(desk)
    assert (await asked(desk, desk.ann)).startswith(ENGLISH)

    await models.User.filter(id=desk.ann.id).update(locale="fr", staff_role=StaffRole.AGENT)

    assert (await asked(desk, desk.ann)).startswith(FRENCH)
