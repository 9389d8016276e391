"""What can be asked for: support projects, request types, and the certificates some of them need."""

from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry import ID, Info, Parent

import models
from domain.entitlement import FORM, form_of
from domain.enums import CertificateKind, Confidentiality, CustomFieldKind, LifecyclePreset, RequestTypeAvailability
from domain.naming import spoken
from domain.shipped import called
from resolvers import entitlements
from resolvers.inventory import within_days
from schema.inventory import Product
from schema.node import Node, entity, key_of
from schema.relations import all_linked, all_of, batched, to_one, told
from schema.scalars import ChosenLocale


@entity(models.SupportProject, description="A field of support that has request types of its own.")
class SupportProject(Node):
    name: str = told("name", called, "Its name.", asked=False)
    request_types: list["RequestType"] = all_of(models.RequestType, "project_id", "name", "Its request types, by name.")


@entity(models.Classification, description="A finer sort of request within a request type.")
class Classification(Node):
    name: str = told("name", called, "Its name.", asked=False)


@entity(models.IssueType, description="What kind of trouble a request is about.")
class IssueType(Node):
    name: str = told("name", called, "Its name.", asked=False)
    appointments_available: bool = strawberry.field(description="Whether an appointment can be booked for it.")


@strawberry.type(description="A field of the form of a new request.")
class FormField:
    key: str = strawberry.field(description="Its name in `ticketCreate`.")

    @strawberry.field(description="What to show beside it.")
    @staticmethod
    def label(root: Parent[Any], info: Info, locale: ChosenLocale = None) -> str:
        return FORM[root.key].label.in_(spoken(locale, info.context.viewer.language))

    kind: CustomFieldKind = strawberry.field(description="What kind of value it takes.")
    required: bool = strawberry.field(description="Whether a request goes without it.")
    options: list[str] | None = strawberry.field(
        description="What there is to choose from; null where that is asked for elsewhere."
    )


OfOrganization = Annotated[ID, strawberry.argument(description="For which organization.")]


@entity(models.RequestType, description="A kind of request, with what it needs and who handles it.")
class RequestType(Node):
    key: str = strawberry.field(description="The name to use in `ticketCreate`.")
    name: str = told("name", called, "The name to show.")
    project: SupportProject = to_one("project", "The field of support it belongs to.", implied=True)
    required_certificate_kind: CertificateKind | None = strawberry.field(
        description="The kind of certificate it needs; null: none."
    )
    classifications: list[Classification] = all_of(
        models.Classification, "request_type_id", "name", "Its classifications, by name."
    )
    issue_types: list[IssueType] = all_of(models.IssueType, "request_type_id", "name", "Its issue types, by name.")
    default_confidentiality: Confidentiality = strawberry.field(
        description="Who in the organization sees such requests unless they say otherwise."
    )
    handler_label: str = told("handler_label", called, "Who in support handles them.", asked=False)
    lifecycle_preset: LifecyclePreset | None = strawberry.field(
        description="How long such requests wait for whom; null: as their organization has it."
    )

    @strawberry.field(description="What such a request has to say, in the order of the form.")
    @staticmethod
    def required_fields(root: Parent[models.RequestType]) -> list[FormField]:
        return [
            FormField(key=each.key, kind=each.kind, required=True, options=None)
            for each in form_of(root.required_fields or ())
        ]

    @strawberry.field(description="Whether an organization of yours may ask for it today.")
    @staticmethod
    async def availability(
        root: Parent[models.RequestType], info: Info, organization_id: OfOrganization
    ) -> RequestTypeAvailability:
        key = key_of(organization_id, "Organization", field="organizationId")
        return await entitlements.availability_of(info.context, root, key)

    @strawberry.field(description="Why it may not, and what to do; null where it may.")
    @staticmethod
    async def availability_reason(
        root: Parent[models.RequestType], info: Info, organization_id: OfOrganization, locale: ChosenLocale = None
    ) -> str | None:
        key = key_of(organization_id, "Organization", field="organizationId")
        reason = await entitlements.availability_reason_of(info.context, root, key)
        language = spoken(locale, info.context.viewer.language)
        return reason.in_(language) if reason else None


@entity(models.ServiceCertificate, description="A certificate that entitles an organization to a service.")
class ServiceCertificate(Node):
    number: str = strawberry.field(description="The number printed on it.")
    kind: CertificateKind = strawberry.field(description="What it entitles to.")
    starts_at: date = strawberry.field(description="Its first day.")
    ends_at: date = strawberry.field(description="Its last day.")

    products: list[Product] = all_linked(models.Product, "products", "The products it is for, by name.")
    is_active: bool = batched(within_days, "Whether today is within its days.", needs=("starts_at", "ends_at"))
