"""What may be asked for, by certificate and day; what a request has to say (S18, S19, S20)."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from domain import entitlement
from domain.entitlement import Certificate
from domain.enums import CertificateKind, RequestTypeAvailability
from domain.errors import CertificateInactive, CertificateRequired, Invalid, Required

AVAILABLE, INACTIVE, ABSENT = RequestTypeAvailability
SERVICES, SUPPORT = CertificateKind.SERVICES, CertificateKind.TECHNICAL_SUPPORT
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
DAY = timedelta(days=1)
CAMERA, PANEL = UUID(int=1), UUID(int=2)

CURRENT = Certificate("SV-1", SERVICES, FIRST, LAST)


@pytest.mark.parametrize(
    ("day", "expected"), [(FIRST - DAY, INACTIVE), (FIRST, AVAILABLE), (LAST, AVAILABLE), (LAST + DAY, INACTIVE)]
)
def test_services_are_available_from_the_first_day_to_the_last(day: date, expected: str) -> None:
    """S18: both days count."""
    assert entitlement.availability(SERVICES, [CURRENT], day) is expected


def test_services_are_absent_without_a_certificate_and_inactive_when_all_have_ended() -> None:  # S18
    ended = Certificate("SV-0", SERVICES, FIRST - 400 * DAY, FIRST - DAY)
    training = Certificate("TR-1", CertificateKind.TRAINING, FIRST, LAST)

    assert entitlement.availability(SERVICES, [], FIRST) is ABSENT
    assert entitlement.availability(SERVICES, [training], FIRST) is ABSENT
    assert entitlement.availability(SERVICES, [ended, training], FIRST) is INACTIVE
    assert entitlement.availability(SERVICES, [ended, CURRENT], FIRST) is AVAILABLE
    assert entitlement.availability(None, [], FIRST) is AVAILABLE


def test_services_include_support_and_not_the_other_way_round() -> None:  # S19
    support = Certificate("TS-1", SUPPORT, FIRST, LAST)

    assert entitlement.availability(SUPPORT, [CURRENT], FIRST) is AVAILABLE
    assert entitlement.availability(SERVICES, [support], FIRST) is ABSENT


def test_the_reason_says_what_to_do() -> None:  # S18
    assert entitlement.availability_reason(SERVICES, [CURRENT], LAST) is None
    assert str(entitlement.availability_reason(SERVICES, [CURRENT], LAST + DAY)) == (
        "Certificate SV-1 ended on December 31, 2026. Renew it to ask for this."
    )
    assert str(entitlement.availability_reason(SERVICES, [CURRENT], FIRST - DAY)) == (
        "Certificate SV-1 begins on January 1, 2026."
    )
    assert str(entitlement.availability_reason(SERVICES, [], FIRST)) == (
        "This needs a certificate for professional services, and the organization has none. Order one first."
    )


def test_what_is_not_available_is_refused_by_its_own_code() -> None:  # S18
    entitlement.check_available(SERVICES, [CURRENT], LAST)

    with pytest.raises(CertificateInactive):
        entitlement.check_available(SERVICES, [CURRENT], LAST + DAY)
    with pytest.raises(CertificateRequired):
        entitlement.check_available(SERVICES, [], FIRST)


def test_the_chosen_certificate_is_of_the_kind_in_force_and_for_the_product() -> None:  # S19, S20
    for_panels = Certificate("SV-2", SERVICES, FIRST, LAST, frozenset({PANEL}))
    training = Certificate("TR-1", CertificateKind.TRAINING, FIRST, LAST)

    entitlement.check_certificate(SUPPORT, for_panels, product_id=PANEL, day=LAST)
    entitlement.check_certificate(SUPPORT, for_panels, product_id=None, day=LAST)
    entitlement.check_certificate(SUPPORT, CURRENT, product_id=CAMERA, day=LAST)

    for certificate, day, error in (
        (for_panels, LAST, Invalid),
        (for_panels, LAST + DAY, CertificateInactive),
        (for_panels, FIRST - DAY, CertificateInactive),
        (training, FIRST, CertificateRequired),
    ):
        with pytest.raises(error) as refused:
            entitlement.check_certificate(SUPPORT, certificate, product_id=CAMERA, day=day)
        assert refused.value.field == ("certificateId",)


TECHNICAL = ["productId", "productVersionId", "productUpdateId", "certificateId"]


@pytest.mark.parametrize(
    ("given", "has_updates", "missing"),
    [
        ({*TECHNICAL}, True, None),
        ({*TECHNICAL} - {"productUpdateId"}, True, "productUpdateId"),
        ({*TECHNICAL} - {"productUpdateId"}, False, None),
        ({*TECHNICAL} - {"productVersionId"}, True, "productVersionId"),
        ({"certificateId"}, True, "productId"),
    ],
)
def test_an_update_is_needed_where_the_version_has_any(given: set[str], has_updates: bool, missing: str | None) -> None:
    """S19."""
    if missing is None:
        entitlement.check_complete(TECHNICAL, given, version_has_updates=has_updates)
        return
    with pytest.raises(Required) as refused:
        entitlement.check_complete(TECHNICAL, given, version_has_updates=has_updates)
    assert refused.value.field == (missing,)


def test_a_missing_certificate_has_a_code_of_its_own() -> None:  # S19, S20
    with pytest.raises(CertificateRequired):
        entitlement.check_complete(TECHNICAL, {*TECHNICAL} - {"certificateId"}, version_has_updates=True)


def test_a_form_always_asks_for_subject_and_description() -> None:  # S22
    assert [field.key for field in entitlement.form_of([])] == ["subject", "description"]
    assert [field.key for field in entitlement.form_of(["certificateId", "productId"])] == [
        "subject",
        "description",
        "productId",
        "certificateId",
    ]


def test_what_can_be_required_is_a_field_of_the_form() -> None:
    assert entitlement.required_fields(["certificateId", "productId", "subject"]) == ["productId", "certificateId"]
    with pytest.raises(Invalid):
        entitlement.required_fields(["organizationId"])


def test_a_ticket_goes_on_with_its_certificate_while_that_is_in_force() -> None:  # S19, S70
    later = Certificate("SV-2", SERVICES, FIRST, LAST + DAY)

    on_its_last_day = entitlement.to_go_on_with(CURRENT, SERVICES, [CURRENT, later], product_id=CAMERA, day=LAST)

    assert on_its_last_day is CURRENT


def test_a_certificate_that_has_ended_is_followed_by_the_one_for_it_that_ends_last() -> None:  # S19, S20, S70
    day = LAST + DAY
    ends_first = Certificate("SV-2", SERVICES, day, day)
    ends_last = Certificate("SV-3", SERVICES, day, day + DAY, frozenset({CAMERA}))
    not_yet = Certificate("SV-4", SERVICES, day + DAY, day + 9 * DAY)
    support = Certificate("TS-1", SUPPORT, day, day + 9 * DAY)
    held = [CURRENT, ends_first, ends_last, not_yet, support]

    assert entitlement.to_go_on_with(CURRENT, SERVICES, held, product_id=CAMERA, day=day) is ends_last
    assert entitlement.to_go_on_with(CURRENT, None, held, product_id=PANEL, day=day) is ends_first
    assert entitlement.to_go_on_with(CURRENT, SUPPORT, held, product_id=PANEL, day=day) is support
    assert entitlement.to_go_on_with(CURRENT, SERVICES, [CURRENT, not_yet], product_id=None, day=day) is None
