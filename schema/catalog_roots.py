"""Asking for products, and keeping what can be asked for."""

from datetime import date
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, UNSET, Info

import models
from domain import policy
from domain.enums import CertificateKind, Confidentiality, LifecyclePreset
from engine.declare import PLAN, Listed
from resolvers import catalog
from schema.access import signed_in
from schema.catalog import RequestType, ServiceCertificate
from schema.inputs import CLIENT_MUTATION_ID
from schema.inventory import Product
from schema.node import key_of, key_or_none, keys_or_none
from schema.operations import GIVEN, mutation, or_left_out
from schema.paging import After, Before, Connection, First, Last, page_args
from schema.payloads import Payload, made


@strawberry.input(description="A certificate to be entered or changed.")
class CertificateSaveInput:
    certificate_id: ID | None = strawberry.field(description="The one to change; a new one if left out.", default=None)
    organization_id: ID = strawberry.field(description="Whose it is; that does not change.")
    number: str = strawberry.field(description="The number printed on it; no two have the same.")
    kind: CertificateKind = strawberry.field(description="What it entitles to.")
    product_ids: list[ID] = strawberry.field(description="The products it is for; none means: for every one.")
    starts_at: date = strawberry.field(description="Its first day.")
    ends_at: date = strawberry.field(description="Its last day.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A request type to be made or changed. What is left out stays as it is.")
class RequestTypeSaveInput:
    key: str = strawberry.field(description="Its name for programs, in capitals; a new one makes a new type.")
    project_id: ID = strawberry.field(description="The field of support it belongs to.")
    name: str = strawberry.field(description="The name to show.")
    required_certificate_kind: CertificateKind | None = strawberry.field(
        description="The kind of certificate it needs; null: none.", default=UNSET
    )
    default_confidentiality: Confidentiality | None = strawberry.field(
        description="Who sees such requests unless they say otherwise.", default=None
    )
    required_fields: list[str] | None = strawberry.field(
        description="Which fields of `ticketCreate` it requires, like `productId`; an empty list: none.", default=None
    )
    handler_label: str | None = strawberry.field(
        description="Who in support handles them; a new type needs it.", default=None
    )
    lifecycle_preset: LifecyclePreset | None = strawberry.field(
        description="How long they wait for whom; null: as their organization has it.", default=UNSET
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The certificate entered or changed.")
class CertificateSavePayload(Payload):
    certificate: ServiceCertificate | None = made("The certificate")


@strawberry.type(description="The request type made or changed.")
class RequestTypeSavePayload(Payload):
    request_type: RequestType | None = made("The request type")


@strawberry.type
class CatalogQueries:
    @strawberry.field(
        description="The vendor's products, by name.",
        directives=signed_in(),
        metadata={PLAN: Listed(models.Product)},
    )
    def products(
        self,
        info: Info,
        text: Annotated[str | None, strawberry.argument(description="Only those whose name contains this.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Product]:
        return catalog.list_products(info.context, page_args(first, after, last, before), text=text)  # type: ignore[return-value]


@strawberry.type
class CatalogMutations:
    @mutation("Enter a certificate of an organization, or change one.", policy.MANAGE_CATALOG)
    async def certificate_save(
        self, info: Info, input: Annotated[CertificateSaveInput, GIVEN]
    ) -> CertificateSavePayload:
        given = catalog.Certifying(
            organization_id=key_of(input.organization_id, "Organization", field="organizationId"),
            certificate_id=key_or_none(input.certificate_id, "ServiceCertificate", field="certificateId"),
            number=input.number,
            kind=input.kind,
            product_ids=tuple(keys_or_none(input.product_ids, "Product", field="productIds") or ()),
            starts_at=input.starts_at,
            ends_at=input.ends_at,
        )
        saved = await catalog.save_certificate(info.context, given)
        return CertificateSavePayload(certificate=cast(Any, saved))

    @mutation("Make a kind of request that customers can choose, or change one.", policy.MANAGE_CATALOG)
    async def request_type_save(
        self, info: Info, input: Annotated[RequestTypeSaveInput, GIVEN]
    ) -> RequestTypeSavePayload:
        saved = await catalog.save_request_type(
            info.context,
            input.key,
            project_id=key_of(input.project_id, "SupportProject", field="projectId"),
            name=input.name,
            handler_label=input.handler_label,
            required_certificate_kind=or_left_out(input.required_certificate_kind),
            default_confidentiality=input.default_confidentiality,
            required=input.required_fields,
            lifecycle_preset=or_left_out(input.lifecycle_preset),
        )
        return RequestTypeSavePayload(request_type=cast(Any, saved))
