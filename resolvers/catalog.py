"""What can be asked for, as administrators keep it: request types, certificates, and what is shipped."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain import policy
from domain.entitlement import required_fields
from domain.enums import CertificateKind, Confidentiality, LifecyclePreset
from domain.errors import Duplicate, Invalid, NotFound, Required
from domain.naming import line
from domain.shipped import SHIPPED_TYPES, ShippedType
from engine.keyset import LazyPage, Order, PageArgs
from models import (
    Classification,
    IssueType,
    Organization,
    Product,
    RequestType,
    ServiceCertificate,
    SupportProject,
)
from resolvers.context import Context
from resolvers.reading import listing
from resolvers.transaction import Work, run_in_transaction, unit_of_work

BY_PRODUCT_NAME = Order("products", "name", kind="text")
MOST_PRODUCTS = 200
LONGEST_SEARCH = 200

_KEY = re.compile(r"[A-Z][A-Z0-9_]{0,39}")

LEFT_OUT: Any = object()
"""Stands for what an update leaves as it is, where None means something."""


@dataclass(frozen=True, slots=True)
class Certifying:
    """A certificate as it is to be; without an id a new one."""

    organization_id: UUID
    number: str
    kind: CertificateKind
    product_ids: tuple[UUID, ...]
    starts_at: date
    ends_at: date
    certificate_id: UUID | None = None


def list_products(ctx: Context, args: PageArgs, *, text: str | None = None) -> LazyPage[Product]:
    """The vendor's products by name; with a text those whose name contains it, in upper or lower case.

    Raises:
        Invalid: a paging argument cannot be used, or the text is longer than 200 characters.
    """
    policy.check_authenticated(ctx.viewer)
    query = Product.shown_to(ctx.viewer)
    if text and text.strip():
        query = query.filter(name__icontains=line(text, field="text", limit=LONGEST_SEARCH))
    return listing(ctx, query, BY_PRODUCT_NAME, args)


@unit_of_work
async def save_certificate(work: Work, ctx: Context, given: Certifying) -> ServiceCertificate:
    """Enter a certificate, or change one; it stays its organization's. Without products it is for all of them.

    Raises:
        Forbidden: not for administrators of the desk.
        NotFound: no such organization, certificate of it, or product.
        Required, Invalid: the number cannot be stored, the last day is before the first, or too many products.
        Duplicate: another certificate has that number.
    """
    policy.check(ctx.viewer, policy.MANAGE_CATALOG, None)
    number = line(given.number, field="number", limit=60)
    if given.ends_at < given.starts_at:
        raise Invalid("The last day is before the first.", field=("endsAt",))
    if len(given.product_ids) > MOST_PRODUCTS:
        raise Invalid("At most {limit} products.", field=("productIds",), limit=MOST_PRODUCTS)
    if not await Organization.filter(id=given.organization_id).exists():
        raise NotFound("organization", field=("organizationId",))
    products = await Product.filter(id__in=given.product_ids)
    if len(products) < len(set(given.product_ids)):
        raise NotFound("product", field=("productIds",))
    if await ServiceCertificate.filter(number=number).exclude(id=given.certificate_id or UUID(int=0)).exists():
        raise Duplicate("There is a certificate of this number already.", field=("number",))
    certificate = await _certificate(given)
    certificate.number, certificate.kind = number, given.kind
    certificate.starts_at, certificate.ends_at = given.starts_at, given.ends_at
    await certificate.save()
    await certificate.products.clear()
    await certificate.products.add(*products)
    return certificate


async def _certificate(given: Certifying) -> ServiceCertificate:
    if given.certificate_id is None:
        return ServiceCertificate(organization_id=given.organization_id)
    found = ServiceCertificate.select_for_update().filter(organization_id=given.organization_id)
    certificate = await found.get_or_none(id=given.certificate_id)
    if certificate is None:
        raise NotFound("certificate", field=("certificateId",))
    return certificate


@unit_of_work
async def save_request_type(
    work: Work,
    ctx: Context,
    key: str,
    *,
    project_id: UUID,
    name: str,
    handler_label: str | None = None,
    required_certificate_kind: CertificateKind | None = LEFT_OUT,
    default_confidentiality: Confidentiality | None = None,
    required: Iterable[str] | None = None,
    lifecycle_preset: LifecyclePreset | None = LEFT_OUT,
) -> RequestType:
    """Make the request type of that key, or change it. What is left out stays, or is the usual in a new one.

    Raises:
        Forbidden: not for administrators of the desk.
        NotFound: no such project.
        Required, Invalid: the key is none, a name cannot be stored, no handler is said for a new one, or a required
            field is none of the form's.
    """
    policy.check(ctx.viewer, policy.MANAGE_CATALOG, None)
    if not _KEY.fullmatch(key):
        raise Invalid("A key is in capitals, like TECHNICAL or SITE_VISIT; at most 40 characters.", field=("key",))
    if not await SupportProject.filter(id=project_id).exists():
        raise NotFound("support project", field=("projectId",))
    request_type = await RequestType.select_for_update().get_or_none(key=key)
    if request_type is None:
        if handler_label is None:
            raise Required("Say who handles these requests.", field=("handlerLabel",))
        request_type = RequestType(key=key)
    request_type.project_id, request_type.name = project_id, line(name, field="name", limit=200)
    if handler_label is not None:
        request_type.handler_label = line(handler_label, field="handlerLabel", limit=200)
    if required_certificate_kind is not LEFT_OUT:
        request_type.required_certificate_kind = required_certificate_kind
    if default_confidentiality is not None:
        request_type.default_confidentiality = default_confidentiality
    if required is not None:
        request_type.required_fields = required_fields(required)
    if lifecycle_preset is not LEFT_OUT:
        request_type.lifecycle_preset = lifecycle_preset
    await request_type.save()
    return request_type


async def ship_request_types() -> bool:
    """Enter what a new installation can be asked for, where nothing is entered yet; returns whether it was so (S17)."""

    async def body() -> bool:
        if await RequestType.all().exists():
            return False
        for shipped in SHIPPED_TYPES:
            await enter(shipped)
        return True

    return await run_in_transaction(body)


async def enter(shipped: ShippedType) -> RequestType:
    """A shipped type with its project, classifications and issue types; what is there already is left as it is."""
    project, _ = await SupportProject.get_or_create(name=str(shipped.project))
    request_type, _ = await RequestType.get_or_create(
        key=shipped.key,
        defaults={
            "project_id": project.id,
            "name": str(shipped.name),
            "handler_label": str(shipped.handler_label),
            "required_certificate_kind": shipped.required_certificate_kind,
            "required_fields": list(shipped.required_fields),
            "default_confidentiality": shipped.default_confidentiality,
        },
    )
    for name in shipped.classifications:
        await Classification.get_or_create(request_type_id=request_type.id, name=str(name))
    for name in shipped.issue_types:
        defaults = {"appointments_available": name in shipped.with_appointments}
        await IssueType.get_or_create(request_type_id=request_type.id, name=str(name), defaults=defaults)
    return request_type
