"""What an organization is entitled to ask for: its certificates read, and the rules of `domain.entitlement` applied."""

from typing import Any
from uuid import UUID

from domain import entitlement, policy
from domain.enums import RequestTypeAvailability
from domain.words import Text
from models import ProductUpdate, RequestType, ServiceCertificate
from resolvers.context import Context
from resolvers.reading import every_child


async def certificates_of(ctx: Context, organization_id: UUID) -> list[entitlement.Certificate]:
    """The terms of an organization's certificates; one statement, however many request types ask.

    Raises:
        NotFound: the organization is not one of the viewer's.
    """
    policy.check_belongs(ctx.viewer, organization_id)
    query = ServiceCertificate.shown_to(ctx.viewer).order_by("ends_at", "id")
    return [each.terms() for each in await every_child(ctx, query, "organization_id", organization_id)]


async def availability_of(ctx: Context, request_type: RequestType, organization_id: UUID) -> RequestTypeAvailability:
    """
    Raises:
        NotFound: the organization is not one of the viewer's.
    """
    certificates = await certificates_of(ctx, organization_id)
    return entitlement.availability(request_type.required_certificate_kind, certificates, ctx.now().date())


async def availability_reason_of(ctx: Context, request_type: RequestType, organization_id: UUID) -> Text | None:
    """
    Raises:
        NotFound: the organization is not one of the viewer's.
    """
    certificates = await certificates_of(ctx, organization_id)
    return entitlement.availability_reason(request_type.required_certificate_kind, certificates, ctx.now().date())


async def request_types_for(ctx: Context, organization_id: UUID, *, include_absent: bool = False) -> list[RequestType]:
    """What an organization can ask for, by name; what it has no certificate for is left out unless asked for (S18).

    Raises:
        NotFound: the organization is not one of the viewer's.
    """
    certificates = await certificates_of(ctx, organization_id)
    day = ctx.now().date()
    return [
        each
        for each in await RequestType.shown_to(ctx.viewer).order_by("name", "id")
        if include_absent
        or entitlement.availability(each.required_certificate_kind, certificates, day)
        is not RequestTypeAvailability.ABSENT
    ]


async def check_entitled(ctx: Context, request_type: RequestType, new: Any) -> None:
    """That the organization may ask for this today, and that the new ticket says everything that it has to.

    Raises:
        Required, CertificateRequired, CertificateInactive, Invalid: see `domain.entitlement`.

    Source: S18, S19, S20.
    """
    day = ctx.now().date()
    required = request_type.required_certificate_kind
    held = [each.terms() for each in await ServiceCertificate.filter(organization_id=new.organization_id)]
    entitlement.check_available(required, held, day)
    version = new.product_version_id
    has_updates = version is None or await ProductUpdate.filter(version_id=version).exists()
    given = {key for key, value in _given(new).items() if value}
    entitlement.check_complete(request_type.required_fields or [], given, version_has_updates=has_updates)
    if new.certificate_id:
        chosen = await ServiceCertificate.get(id=new.certificate_id).prefetch_related("products")
        terms = chosen.terms(frozenset(each.id for each in chosen.products))
        entitlement.check_certificate(required, terms, product_id=new.product_id, day=day)


def _given(new: Any) -> dict[str, Any]:
    return {
        "subject": True,
        "description": True,
        "productId": new.product_id,
        "productVersionId": new.product_version_id,
        "productUpdateId": new.product_update_id,
        "certificateId": new.certificate_id,
        "classificationId": new.classification_id,
        "issueTypeId": new.issue_type_id,
        "spaceId": new.space_id,
        "deviceIds": new.device_ids,
        "attachmentIds": new.attachment_ids,
    }
