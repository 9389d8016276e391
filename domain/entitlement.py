"""What an organization may ask for, by its certificates and the day, and what a request must say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.enums import CertificateKind, CustomFieldKind, RequestTypeAvailability
from domain.errors import CertificateInactive, CertificateRequired, Invalid, Required
from domain.words import Text

ACCEPTED = {
    CertificateKind.TECHNICAL_SUPPORT: frozenset({CertificateKind.TECHNICAL_SUPPORT, CertificateKind.SERVICES}),
}
"""Which kinds stand for a required one; without an entry the kind itself. Services include support (S19)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What decides about a certificate. Both days are days on which it is in force; without products it is for all."""

    number: str
    kind: CertificateKind
    starts_at: date
    ends_at: date
    product_ids: frozenset[UUID] = frozenset()

    def in_force(self, day: date) -> bool:
        return self.starts_at <= day <= self.ends_at

    def covers(self, product_id: UUID | None) -> bool:
        return not self.product_ids or product_id is None or product_id in self.product_ids


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form of a new request: its name in `ticketCreate`, and how to show it."""

    key: str
    label: Text
    kind: CustomFieldKind


FORM = {
    field.key: field
    for field in (
        FormField("subject", Text("Subject"), CustomFieldKind.TEXT),
        FormField("description", Text("Description"), CustomFieldKind.TEXT),
        FormField("productId", Text("Product"), CustomFieldKind.ENUM),
        FormField("productVersionId", Text("Version"), CustomFieldKind.ENUM),
        FormField("productUpdateId", Text("Update"), CustomFieldKind.ENUM),
        FormField("certificateId", Text("Certificate"), CustomFieldKind.ENUM),
        FormField("classificationId", Text("Classification"), CustomFieldKind.ENUM),
        FormField("issueTypeId", Text("Issue type"), CustomFieldKind.ENUM),
        FormField("spaceId", Text("Room or desk"), CustomFieldKind.ENUM),
        FormField("deviceIds", Text("Devices"), CustomFieldKind.ENUM),
        FormField("attachmentIds", Text("Files"), CustomFieldKind.ENUM),
    )
}
"""Everything that a request type may require, in the order of the form."""

ENTITLES_TO = {
    CertificateKind.TECHNICAL_SUPPORT: Text("technical support", context="certificate for"),
    CertificateKind.SERVICES: Text("professional services", context="certificate for"),
    CertificateKind.UPDATES: Text("product updates", context="certificate for"),
    CertificateKind.TRAINING: Text("training", context="certificate for"),
}

ALWAYS = ("subject", "description")
"""What no request goes without (S22)."""


def accepted_kinds(required: CertificateKind) -> frozenset[CertificateKind]:
    return ACCEPTED.get(required, frozenset({required}))


def availability(
    required: CertificateKind | None, certificates: Iterable[Certificate], day: date
) -> RequestTypeAvailability:
    """Whether an organization with these certificates may ask for something that needs that kind on that day.

    Without any certificate of an accepted kind it is ABSENT; with some, none of them in force, INACTIVE.

    Source: S18, S19.
    """
    if required is None:
        return RequestTypeAvailability.AVAILABLE
    fitting = _fitting(required, certificates)
    if not fitting:
        return RequestTypeAvailability.ABSENT
    in_force = any(each.in_force(day) for each in fitting)
    return RequestTypeAvailability.AVAILABLE if in_force else RequestTypeAvailability.INACTIVE


def availability_reason(
    required: CertificateKind | None, certificates: Sequence[Certificate], day: date
) -> Text | None:
    """Why it is not available, and what to do; None where it is."""
    match availability(required, certificates, day):
        case RequestTypeAvailability.ABSENT if required:
            return Text(
                "This needs a certificate for {kind}, and the organization has none. Order one first.",
                kind=ENTITLES_TO[required],
            )
        case RequestTypeAvailability.INACTIVE if required:
            last = max(_fitting(required, certificates), key=lambda each: each.ends_at)
            if last.starts_at > day:
                return Text("Certificate {number} begins on {day}.", number=last.number, day=last.starts_at)
            return Text(
                "Certificate {number} ended on {day}. Renew it to ask for this.", number=last.number, day=last.ends_at
            )
        case _:
            return None


def check_available(required: CertificateKind | None, certificates: Sequence[Certificate], day: date) -> None:
    """
    Raises:
        CertificateRequired: the organization has no certificate of an accepted kind.
        CertificateInactive: none of them is in force on that day.

    Source: S18, S19.
    """
    reason = availability_reason(required, certificates, day)
    if reason is None:
        return
    if availability(required, certificates, day) is RequestTypeAvailability.ABSENT:
        raise CertificateRequired(reason, field=("requestTypeKey",))
    raise CertificateInactive(reason, field=("requestTypeKey",))


def check_complete(required: Iterable[str], given: set[str], *, version_has_updates: bool) -> None:
    """That everything is there that the request type requires; an update only where the version has any (S19).

    Raises:
        Required: something is missing; the first of it, in the order of the form.
        CertificateRequired: it is the certificate (S19, S20).
    """
    wanted = set(required)
    if not version_has_updates:
        wanted.discard("productUpdateId")
    for key in FORM:
        if key in wanted - given:
            if key == "certificateId":
                raise CertificateRequired("Choose the certificate that entitles to this.", field=(key,))
            raise Required("{label}: this kind of request needs it.", field=(key,), label=FORM[key].label)


def check_certificate(
    required: CertificateKind | None, certificate: Certificate, *, product_id: UUID | None, day: date
) -> None:
    """That the chosen certificate is of an accepted kind, in force on that day, and for the product.

    Raises:
        CertificateRequired: it is of another kind.
        CertificateInactive: it has ended, or has not begun.
        Invalid: it is not for this product.

    Source: S19, S20.
    """
    field = ("certificateId",)
    if required and certificate.kind not in accepted_kinds(required):
        raise CertificateRequired(
            "Certificate {number} is for {kind}; this needs one for {needed}.",
            field=field,
            number=certificate.number,
            kind=ENTITLES_TO[certificate.kind],
            needed=ENTITLES_TO[required],
        )
    if not certificate.in_force(day):
        raise CertificateInactive(
            "Certificate {number} is good from {first} to {last}.",
            field=field,
            number=certificate.number,
            first=certificate.starts_at,
            last=certificate.ends_at,
        )
    if not certificate.covers(product_id):
        raise Invalid("Certificate {number} is not for this product.", field=field, number=certificate.number)


def to_go_on_with(
    earlier: Certificate,
    required: CertificateKind | None,
    held: Iterable[Certificate],
    *,
    product_id: UUID | None,
    day: date,
) -> Certificate | None:
    """The certificate of a ticket that goes on from another: the same while it is in force, then whichever of those for
    it ends last; None where there is none any more.

    Source: S19, S20, S70.
    """
    if earlier.in_force(day):
        return earlier
    instead = [
        each for each in _fitting(required or earlier.kind, held) if each.in_force(day) and each.covers(product_id)
    ]
    return max(instead, key=lambda each: (each.ends_at, each.number), default=None)


def form_of(required: Iterable[str]) -> list[FormField]:
    """The fields that a request type requires, in the order of the form."""
    wanted = {*ALWAYS, *required}
    return [field for key, field in FORM.items() if key in wanted]


def required_fields(given: Iterable[str]) -> list[str]:
    """
    Raises:
        Invalid: a name that is none of the form's.
    """
    wanted = set(given)
    if unknown := sorted(wanted - FORM.keys()):
        raise Invalid(
            "There is no field {name}. There are: {fields}.",
            field=("requiredFields",),
            name=ascii(unknown[0][:40]),
            fields=", ".join(FORM),
        )
    return [key for key in FORM if key in wanted and key not in ALWAYS]


def _fitting(required: CertificateKind, certificates: Iterable[Certificate]) -> list[Certificate]:
    return [each for each in certificates if each.kind in accepted_kinds(required)]
