"""Drafts of tickets: what they say, and saving, discarding and submitting them."""

from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, UNSET, Info

import models
from domain import policy
from domain.enums import Confidentiality, DraftOrigin, TicketChannel, TicketPriority, TicketSeverity
from engine.declare import PLAN
from resolvers import draft_extras, drafts
from resolvers.drafts import DraftForm
from schema.access import signed_in
from schema.catalog import Classification, IssueType, RequestType, ServiceCertificate
from schema.enums import ErrorCode
from schema.errors import FieldError
from schema.inputs import CLIENT_MUTATION_ID, FILES, files_of
from schema.inventory import Device, Product, ProductUpdate, ProductVersion, Space
from schema.node import Node, entity, global_id, key_of, key_or_none, keys_or_none, sought_key
from schema.operations import GIVEN, by_id, check_place, just_opened, mutation
from schema.payloads import Payload, made
from schema.people import Organization
from schema.relations import all_linked, all_of, batched, derived, to_one
from schema.scalars import Locale, Markdown
from schema.ticket import Ticket
from schema.timeline import Attachment


def _extra(name: str, description: str) -> Any:
    return derived("more", lambda kept: draft_extras.told(kept, name), description)


@entity(models.TicketDraft, description="A ticket that is not opened yet; its author's alone.")
class TicketDraft(Node):
    origin: DraftOrigin = strawberry.field(description="How it came about.")
    failure_reason: str | None = strawberry.field(description="What went wrong, where it was submitted in vain.")
    request_type: RequestType | None = to_one("request_type", "What kind of request it is to be.")
    organization: Organization | None = to_one("organization", "Whose request it is to be.")
    subject: str | None = strawberry.field(description="One line.")
    description: Markdown | None = strawberry.field(description="The request so far.")
    product: Product | None = to_one("product", "The product it is about.")
    product_version: ProductVersion | None = to_one("product_version", "The version of the product.")
    product_update: ProductUpdate | None = to_one("product_update", "The update of the version.")
    classification: Classification | None = to_one("classification", "The finer sort of request.")
    issue_type: IssueType | None = to_one("issue_type", "What kind of trouble it is about.")
    certificate: ServiceCertificate | None = to_one("certificate", "The certificate that entitles to it.")
    space: Space | None = to_one("space", "The room or desk it is about.")
    devices: list[Device] = all_linked(models.Device, "devices", "The devices it is about, by name.")
    channel: TicketChannel | None = _extra("channel", "By which way; null where it does not say.")
    language: Locale | None = _extra("language", "The language it is written in.")
    priority: TicketPriority | None = _extra("priority", "How soon; null where it does not say.")
    severity: TicketSeverity | None = _extra("severity", "How bad; null where it does not say.")
    confidentiality: Confidentiality | None = _extra(
        "confidentiality", "Who is to see it; null for the request type's default."
    )
    quoted_ticket: Ticket | None = batched(
        draft_extras.quoted_by, "The earlier ticket that it quotes; null without one that you may see."
    )
    on_behalf_of: Organization | None = batched(draft_extras.filed_for, "The customer that a partner files it for.")
    attachments: list[Attachment] = all_of(models.Attachment, "draft_id", "created_at", "Its files, first one first.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    updated_at: datetime = strawberry.field(description="When it was last saved.")


def _key(given: ID | None, name: str, field: str) -> Any:
    """The key, None or UNSET, as it is given.

    Raises:
        Invalid: not an id, or one of another type.
    """
    return given if given is UNSET else key_or_none(given, name, field=field)


@strawberry.input(
    description="A form as it is left. The draft becomes what is given here: what is left out is empty. Only what is "
    "chosen beside the form, from `channel` on, stays if it is left out; null takes it back."
)
class DraftSaveInput:
    draft_id: ID | None = strawberry.field(description="The draft to be saved; a new one if left out.", default=None)
    origin: DraftOrigin = strawberry.field(
        description="AUTOSAVE while it is written, CANCELLED when its author stops.", default=DraftOrigin.AUTOSAVE
    )
    organization_id: ID | None = strawberry.field(description="In which organization.", default=None)
    request_type_key: str | None = strawberry.field(description="What kind of request.", default=None)
    subject: str | None = strawberry.field(description="One line; at most 300 characters.", default=None)
    description: Markdown | None = strawberry.field(description="At most 64,000 characters.", default=None)
    product_id: ID | None = strawberry.field(description="The product it is about.", default=None)
    product_version_id: ID | None = strawberry.field(description="The version of that product.", default=None)
    product_update_id: ID | None = strawberry.field(description="The update of that version.", default=None)
    classification_id: ID | None = strawberry.field(description="The finer sort of request.", default=None)
    issue_type_id: ID | None = strawberry.field(description="The kind of trouble.", default=None)
    certificate_id: ID | None = strawberry.field(description="The certificate that entitles to it.", default=None)
    space_id: ID | None = strawberry.field(description="The room or desk it is about.", default=None)
    device_ids: list[ID] | None = strawberry.field(description="The devices it is about.", default=None)
    attachment_ids: list[ID] | None = strawberry.field(description=FILES, default=None)
    channel: TicketChannel | None = strawberry.field(description="By which way.", default=UNSET)
    language: Locale | None = strawberry.field(description="The language it is written in.", default=UNSET)
    priority: TicketPriority | None = strawberry.field(description="How soon.", default=UNSET)
    severity: TicketSeverity | None = strawberry.field(description="How bad.", default=UNSET)
    confidentiality: Confidentiality | None = strawberry.field(description="Who is to see it.", default=UNSET)
    references_ticket_id: ID | None = strawberry.field(
        description="An earlier ticket that it quotes; one that you may see.", default=UNSET
    )
    on_behalf_of_organization_id: ID | None = strawberry.field(
        description="The customer that a partner files it for.", default=UNSET
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)

    def plain(self) -> DraftForm:
        """
        Raises:
            Invalid: an id is none, or of another type.
        """
        return DraftForm(
            organization_id=key_or_none(self.organization_id, "Organization", field="organizationId"),
            request_type_key=self.request_type_key,
            subject=self.subject,
            description=self.description,
            product_id=key_or_none(self.product_id, "Product", field="productId"),
            product_version_id=key_or_none(self.product_version_id, "ProductVersion", field="productVersionId"),
            product_update_id=key_or_none(self.product_update_id, "ProductUpdate", field="productUpdateId"),
            classification_id=key_or_none(self.classification_id, "Classification", field="classificationId"),
            issue_type_id=key_or_none(self.issue_type_id, "IssueType", field="issueTypeId"),
            certificate_id=key_or_none(self.certificate_id, "ServiceCertificate", field="certificateId"),
            space_id=key_or_none(self.space_id, "Room", "Desk", field="spaceId"),
            device_ids=tuple(keys_or_none(self.device_ids, "Device", field="deviceIds") or ()),
            attachment_ids=files_of(self.attachment_ids),
            extras={name: value for name, value in self._extras().items() if value is not UNSET},
        )

    def _extras(self) -> dict[str, Any]:
        return {
            "channel": self.channel,
            "language": self.language,
            "priority": self.priority,
            "severity": self.severity,
            "confidentiality": self.confidentiality,
            "quotes_id": _key(self.references_ticket_id, "Ticket", "referencesTicketId"),
            "on_behalf_of_id": _key(self.on_behalf_of_organization_id, "Organization", "onBehalfOfOrganizationId"),
        }


@strawberry.input(description="A draft to be thrown away.")
class DraftDiscardInput:
    draft_id: ID = strawberry.field(description="The draft.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A draft to be made a ticket.")
class DraftSubmitInput:
    draft_id: ID = strawberry.field(description="The draft.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The draft saved.")
class DraftSavePayload(Payload):
    draft: TicketDraft | None = made("The draft")


@strawberry.type(description="The draft thrown away.")
class DraftDiscardPayload(Payload):
    draft_id: ID | None = made("Its id")


@strawberry.type(description="The ticket opened from a draft.")
class DraftSubmitPayload(Payload):
    ticket: Ticket | None = made("The new ticket")
    draft: TicketDraft | None = strawberry.field(
        description="The draft, where something broke on our side; null otherwise.", default=None
    )


@strawberry.type(description="The ticket opened.")
class TicketCreatePayload(Payload):
    ticket: Ticket | None = made("The new ticket")
    saved_draft: TicketDraft | None = strawberry.field(
        description="Where something broke on our side: a draft with everything that was said, files included.",
        default=None,
    )


def broken() -> FieldError:
    """The error beside a draft that was saved because something broke."""
    return FieldError(message=drafts.FAILED, code=ErrorCode.INTERNAL, field=None)


@strawberry.type
class DraftQueries:
    @strawberry.field(
        description="A draft of yours.",
        directives=signed_in(),
        metadata={PLAN: by_id(models.TicketDraft, "TicketDraft")},
    )
    async def draft(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]
    ) -> TicketDraft | None:
        return await drafts.get_draft(info.context, sought_key(id, "TicketDraft"))  # type: ignore[return-value]


@strawberry.type
class DraftMutations:
    @mutation("Save what is written so far.", policy.OWN_DRAFTS)
    async def draft_save(self, info: Info, input: Annotated[DraftSaveInput, GIVEN]) -> DraftSavePayload:
        form = input.plain()
        await check_place(info, input.space_id)
        draft = await drafts.save_draft(
            info.context,
            form,
            draft_id=key_or_none(input.draft_id, "TicketDraft", field="draftId"),
            origin=input.origin,
        )
        return DraftSavePayload(draft=cast(Any, draft))

    @mutation("Throw a draft away, its files too.", policy.OWN_DRAFTS)
    async def draft_discard(self, info: Info, input: Annotated[DraftDiscardInput, GIVEN]) -> DraftDiscardPayload:
        gone = await drafts.discard_draft(info.context, key_of(input.draft_id, "TicketDraft", field="draftId"))
        return DraftDiscardPayload(draft_id=global_id("TicketDraft", gone))

    @mutation("Open the ticket that a draft describes.", policy.OWN_DRAFTS)
    async def draft_submit(self, info: Info, input: Annotated[DraftSubmitInput, GIVEN]) -> DraftSubmitPayload:
        opened = await drafts.submit_draft(info.context, key_of(input.draft_id, "TicketDraft", field="draftId"))
        if opened.ticket is None:
            return DraftSubmitPayload(draft=cast(Any, opened.draft), errors=[broken()])
        return DraftSubmitPayload(ticket=await just_opened(info, opened.ticket))
