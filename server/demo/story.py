"""A ticket of the demo world, from its opening on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.enums import TicketChannel, TicketPriority, TicketSeverity
from models import (
    Classification,
    Device,
    IssueType,
    Product,
    ProductUpdate,
    ProductVersion,
    RequestType,
    ServiceCertificate,
    Space,
)
from resolvers.ticket_creation import NewTicket, create_ticket
from server.demo.places import SUPPORT
from server.demo.stage import Stage, key_of
from server.demo.steps import Step

FLEET = ("Orba Fleet", "2026.2")
"""What a technical question is about that is about no device: the program that looks after all of them."""


@dataclass(frozen=True, slots=True)
class Story:
    """Opened by `by` in `company`, `days_ago`; then the steps, one after the other. What has a name is found by it."""

    key: str
    company: str
    days_ago: float
    by: str
    subject: str
    description: str
    request_type: str = "TECHNICAL"
    channel: TicketChannel = TicketChannel.PORTAL
    language: str = "en"
    priority: TicketPriority = TicketPriority.NORMAL
    severity: TicketSeverity = TicketSeverity.MINIMAL
    classification: str | None = None
    issue_type: str | None = None
    product: str | None = None
    version: str | None = None
    update: str | None = None
    certificate: str | None = None
    space: str | None = None
    serial_numbers: tuple[str, ...] = ()
    on_behalf_of: str | None = None
    steps: tuple[Step, ...] = ()

    @property
    def mutation_id(self) -> str:
        return f"demo:{self.key}"

    def moments(self, now: datetime) -> Iterator[tuple[datetime, Step | None]]:
        """When what happens; None is the opening."""
        moment = now - timedelta(days=self.days_ago)
        yield moment, None
        for step in self.steps:
            moment += timedelta(hours=step.after)
            assert moment <= now, f"{self.key}: {step} would happen in the future"
            yield moment, step

    async def open(self, stage: Stage) -> UUID:
        """Open it as its author would; returns the ticket's key."""
        request_type_id = (await RequestType.get(key=self.request_type)).id
        technical = self.request_type == "TECHNICAL"
        product, version = (self.product, self.version) if self.product or not technical else FLEET
        certificate = self.certificate or (SUPPORT[self.company] if technical else None)
        product_id = await key_of(Product, product)
        version_id = await key_of(ProductVersion, version, product_id=product_id)
        company = stage.companies[self.company]
        new = NewTicket(
            organization_id=company.id,
            request_type_key=self.request_type,
            subject=self.subject,
            description=self.description,
            channel=self.channel,
            language=self.language,
            priority=self.priority,
            severity=self.severity,
            classification_id=await key_of(Classification, self.classification, request_type_id=request_type_id),
            issue_type_id=await key_of(IssueType, self.issue_type, request_type_id=request_type_id),
            product_id=product_id,
            product_version_id=version_id,
            product_update_id=await key_of(ProductUpdate, self.update, version_id=version_id),
            certificate_id=(await ServiceCertificate.get(number=certificate)).id if certificate else None,
            space_id=await key_of(Space, self.space, organization_id=company.id),
            device_ids=await self._devices(),
            on_behalf_of_id=stage.companies[self.on_behalf_of].id if self.on_behalf_of else None,
            client_mutation_id=self.mutation_id,
        )
        return (await create_ticket(await stage.acting_as(self.by), new)).id

    async def _devices(self) -> tuple[UUID, ...]:
        found = await Device.filter(serial_number__in=self.serial_numbers).values_list("id", flat=True)
        return tuple(found)  # type: ignore[arg-type]
