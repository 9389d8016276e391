"""Labels, notices and refusals in the reader's language, and what people wrote as they wrote it (S42)."""

from datetime import date, timedelta
from typing import Any

import pytest

import models
from domain.enums import CertificateKind, StaffRole, TicketStatus
from domain.words.languages import LOCALES
from resolvers.catalog import ship_request_types
from tests.api.operations import create, mutate
from tests.api.world import gid
from tests.client import Client
from tests.clock import Clock
from tests.conftest import AsUser
from tests.factories import make_member, make_message, make_organization, make_staff, make_ticket

pytestmark = pytest.mark.anyio

NOTICE = "query($t: ID!, $l: Locale) { ticket(id: $t) { notice(locale: $l) { text referenceToQuote } } }"
CLOSED = {
    "en": "This ticket is closed for good. If you need more help, open a new ticket and quote T-7.",
    "fr": "Ce ticket est définitivement clos. Si vous avez encore besoin d’aide, ouvrez un nouveau ticket et rappelez "
    "la référence T-7.",
    "it": "Questo ticket è chiuso definitivamente. Se serve altro aiuto, apra un nuovo ticket e citi T-7.",
    "pt": "Este pedido está definitivamente fechado. Se precisar de mais ajuda, abra um novo pedido e indique T-7.",
    "ru": "Это обращение закрыто окончательно. Если нужна помощь, откройте новое обращение и укажите номер T-7.",
}


@pytest.fixture
async def acme() -> models.Organization:
    return await make_organization("Acme")


async def closed_ticket(acme: models.Organization, owner: models.User, clock: Clock) -> models.Ticket:
    return await make_ticket(acme, owner, status=TicketStatus.CLOSED, closed_at=clock(), reference="T-7")


async def notice(client: Client, ticket: models.Ticket, **given: Any) -> str:
    found: str = (await client.ask(NOTICE, t=gid(ticket), **given))["ticket"]["notice"]["text"]
    return found


async def test_a_notice_is_told_in_the_language_that_its_reader_chose(
    as_user: AsUser, acme: models.Organization, clock: Clock
) -> None:  # S42, S68
    told = {}
    for number, locale in enumerate(LOCALES):
        ann = await make_member(acme, name=f"Ann {number}", locale=locale)
        ticket = await closed_ticket(acme, ann, clock)
        told[locale] = await notice(as_user(ann), ticket)
        await ticket.delete()

    assert told == CLOSED


async def test_a_notice_can_be_asked_for_in_another_language(
    as_user: AsUser, acme: models.Organization, clock: Clock
) -> None:  # S42
    ann = await make_member(acme, locale="it-CH")
    ticket = await closed_ticket(acme, ann, clock)

    told = {each: await notice(as_user(ann), ticket, l=each) for each in (None, "ru", "pt-BR", "FR", "de", "und-Latn")}

    languages = {None: "it", "ru": "ru", "pt-BR": "pt", "FR": "fr", "de": "it", "und-Latn": "it"}
    assert told == {each: CLOSED[language] for each, language in languages.items()}


@pytest.mark.parametrize("locale", ["", "русский", "en_GB", "x" * 17])
async def test_what_is_no_language_is_refused_and_the_shipped_ones_are_named(
    as_user: AsUser, acme: models.Organization, clock: Clock, locale: str
) -> None:  # S42
    ann = await make_member(acme, locale="pt")
    ticket = await closed_ticket(acme, ann, clock)

    data, errors = await as_user(ann).answer(NOTICE, t=gid(ticket), l=locale)

    assert data == {"ticket": {"notice": None}}
    assert [each.extensions for each in errors] == [{"code": "INVALID", "field": ["locale"]}]
    assert errors[0].message == "A language is written like en or pt-BR. Texts are there in: en, fr, it, pt, ru."


async def test_one_person_is_told_in_as_many_languages_as_are_asked_for_at_once(
    as_user: AsUser, acme: models.Organization, clock: Clock
) -> None:  # S42
    ann = await make_member(acme)
    ticket = await closed_ticket(acme, ann, clock)
    fields = " ".join(f'{each}: notice(locale: "{each}") {{ text }}' for each in LOCALES)

    found = await as_user(ann).ask(
        f"query($t: ID!) {{ ticket(id: $t) {{ mine: notice {{ text }} {fields} }} }}", t=gid(ticket)
    )

    assert {key: each["text"] for key, each in found["ticket"].items()} == {"mine": CLOSED["en"], **CLOSED}


async def test_what_is_shipped_is_named_in_the_readers_language_and_what_was_written_is_not_translated(
    as_user: AsUser, acme: models.Organization
) -> None:  # S17, S42
    await ship_request_types()
    await models.RequestType.filter(key="PORTAL").update(name="Portal, please", handler_label="Portal support")
    ann = await make_member(acme, locale="ru")
    document = """query($o: ID!) { organization(id: $o) { requestTypes(includeAbsent: true) {
      key name inItalian: name(locale: "it") handlerLabel project { name } issueTypes { name }
      requiredFields { key label inFrench: label(locale: "fr") } } } }"""

    types = (await as_user(ann).ask(document, o=gid(acme)))["organization"]["requestTypes"]
    found = {each["key"]: each for each in types}

    services, portal = found["SERVICES"], found["PORTAL"]
    assert (services["name"], services["inItalian"]) == ("Профессиональные услуги", "Servizi professionali")
    assert (services["handlerLabel"], services["project"]["name"]) == ("Менеджер по услугам", "Профессиональные услуги")
    assert [each["name"] for each in services["issueTypes"]] == ["На месте", "Удалённо"]
    assert [(each["key"], each["label"], each["inFrench"]) for each in services["requiredFields"]] == [
        ("subject", "Тема", "Objet"),
        ("description", "Описание", "Description"),
        ("certificateId", "Сертификат", "Certificat"),
        ("classificationId", "Классификация", "Classification"),
    ]
    assert (portal["name"], portal["inItalian"]) == ("Portal, please", "Portal, please")
    assert (portal["handlerLabel"], portal["project"]["name"]) == ("Поддержка портала", "Учётная запись и портал")


async def test_why_something_cannot_be_asked_for_is_told_in_the_readers_language(
    as_user: AsUser, acme: models.Organization, clock: Clock
) -> None:  # S18, S42
    await ship_request_types()
    last = date(2026, 3, 2)
    await models.ServiceCertificate.create(
        organization_id=acme.id,
        number="SV-1",
        kind=CertificateKind.SERVICES,
        starts_at=last - timedelta(days=9),
        ends_at=last,
    )
    clock.advance(days=(last - clock().date()).days + 1)
    ann = await make_member(acme, locale="it")
    document = """query($o: ID!, $l: Locale) { requestTypes(organizationId: $o) { key
      availabilityReason(organizationId: $o, locale: $l) } }"""

    async def reason(locale: str | None) -> str:
        found = (await as_user(ann).ask(document, o=gid(acme), l=locale))["requestTypes"]
        return next(each["availabilityReason"] for each in found if each["key"] == "SERVICES")

    assert await reason(None) == "Il certificato SV-1 è scaduto il 2 marzo 2026. Lo rinnovi per fare questa richiesta."
    assert (
        await reason("ru")
        == "Срок сертификата SV-1 истёк 2 марта 2026 года. Продлите его, чтобы отправить такой запрос."
    )
    assert await reason("en") == "Certificate SV-1 ended on March 2, 2026. Renew it to ask for this."


async def test_a_refusal_is_told_in_the_readers_language_and_its_code_stays(
    as_user: AsUser, acme: models.Organization, clock: Clock
) -> None:  # S42, J9
    ann = await make_member(acme, locale="fr")
    ticket = await closed_ticket(acme, ann, clock)

    answer = await mutate(as_user(ann), "ticketClose", "ticket { id }", ticketId=gid(ticket))
    long = await mutate(
        as_user(ann),
        "messageSend",
        "message { id }",
        ticketId=gid(ticket),
        clientMessageId="1",
        message={"body": "x" * 64_001},
    )

    assert [(each["code"], each["message"]) for each in answer["errors"]] == [
        ("TICKET_CLOSED", "Ce ticket est déjà clos.")
    ]
    assert [(each["code"], each["message"]) for each in long["errors"]] == [
        ("INVALID", "Au plus 64\u202f000 caractères\xa0; ce texte en a 64\u202f001.")
    ]


async def test_the_subject_of_a_call_is_made_once_in_the_language_of_its_author(
    as_user: AsUser, acme: models.Organization
) -> None:  # S31, S42
    await ship_request_types()
    olga, pia = await make_member(acme, name="Olga", locale="ru"), await make_member(acme, name="Pia", locale="pt")
    given = {"requestTypeKey": "PORTAL", "channel": "CONFERENCE_CALL"}

    made = (await create(as_user(olga), acme, **given))["ticket"]
    read = await as_user(pia).ask("query($t: ID!) { ticket(id: $t) { subject } }", t=made["id"])

    assert read["ticket"]["subject"] == made["subject"] == f"Конференц-звонок – {olga.username}"


async def test_what_people_wrote_stays_as_they_wrote_it_whoever_reads_it(
    as_user: AsUser, acme: models.Organization, clock: Clock
) -> None:  # S42
    """Also where it happens to be one of our texts, or has the look of a format."""
    await ship_request_types()
    request_type = await models.RequestType.get(key="TECHNICAL")
    ann = await make_member(acme, name="Somebody", locale="en")
    ticket = await make_ticket(
        acme,
        ann,
        subject="Technical support",
        description="Calendar {count}",
        language="pt",
        request_type_id=request_type.id,
    )
    await make_message(ticket, ann, body="You may not do this.")
    document = """query($t: ID!) { ticket(id: $t) { subject description language requester { displayName }
      organization { name } messages { nodes { ... on ChatMessage { body } } } } }"""

    read = []
    for locale in LOCALES:
        reader = await make_staff(StaffRole.AGENT, name=f"Sam {locale}")
        await models.User.filter(id=reader.id).update(locale=locale)
        read.append(await as_user(reader).ask(document, t=gid(ticket)))

    assert read == [read[0]] * len(LOCALES)
    assert read[0]["ticket"]["subject"] == "Technical support"
    assert read[0]["ticket"]["description"] == "Calendar {count}"
    assert read[0]["ticket"]["requester"] == {"displayName": "Somebody"}
    assert [each["body"] for each in read[0]["ticket"]["messages"]["nodes"]] == ["You may not do this."]
