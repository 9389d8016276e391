"""What a ticket is about, chosen anew: among what its request type, its product and its organization have."""

from collections.abc import Sequence
from uuid import UUID

from domain.errors import Invalid, NotFound
from models import Classification, Device, IssueType, Product, ProductUpdate, ProductVersion, Space, Ticket
from resolvers.catalog import LEFT_OUT

Change = tuple[str, str | None, str | None]
"""A field by its name in the API, and what it was and is, in words."""

MOST_DEVICES = 100


async def choose_sort(ticket: Ticket, classification_id: UUID | None, issue_type_id: UUID | None) -> list[Change]:
    """Give the ticket another classification or issue type of its request type; None leaves it.

    Raises:
        NotFound: its request type has no such thing.
    """
    found: list[Change] = []
    for model, what, field, new_id in (
        (Classification, "classification", "classification", classification_id),
        (IssueType, "issue type", "issueType", issue_type_id),
    ):
        name = "classification_id" if model is Classification else "issue_type_id"
        old_id = getattr(ticket, name)
        if new_id is None or new_id == old_id:
            continue
        new = await model.get_or_none(id=new_id, request_type_id=ticket.request_type_id)
        if new is None:
            raise NotFound(what, field=(f"{field}Id",))
        old = await model.get_or_none(id=old_id) if old_id else None
        setattr(ticket, name, new_id)
        found.append((field, old.name if old else None, new.name))
    return found


async def choose_version(ticket: Ticket, version_id: UUID | None) -> list[Change]:
    """Give the ticket another version of its product, or where it has no product a version with its product. What was
    said of an update of the old version goes.

    Raises:
        NotFound: there is no such version, or not of this product.
    """
    if version_id is None or version_id == ticket.product_version_id:
        return []
    new = await ProductVersion.get_or_none(id=version_id)
    if new is None or ticket.product_id not in (None, new.product_id):
        raise NotFound("version of its product", field=("productVersionId",))
    found: list[Change] = []
    if ticket.product_id is None:
        product = await Product.get(id=new.product_id)
        ticket.product_id = product.id
        found.append(("product", None, product.name))
    old = await ProductVersion.get_or_none(id=ticket.product_version_id) if ticket.product_version_id else None
    ticket.product_version_id = new.id
    found.append(("productVersion", old.name if old else None, new.name))
    if ticket.product_update_id:
        update = await ProductUpdate.get(id=ticket.product_update_id)
        ticket.product_update_id = None
        found.append(("productUpdate", update.name, None))
    return found


async def choose_place(ticket: Ticket, space_id: UUID | None, device_ids: Sequence[UUID] | None) -> list[Change]:
    """Give the ticket another room or desk and other devices, all of its organization; what is left out stays, and no
    devices are named by None. Without a room or desk (None) it keeps its devices, wherever they stand.

    Raises:
        NotFound: the organization has no such room, desk or device, or the device stands elsewhere.
        Invalid: too many devices, or some that it has stand elsewhere.
    """
    if space_id is LEFT_OUT and device_ids is None:
        return []
    found: list[Change] = []
    before = await ticket.devices.all().order_by("name", "id")
    if space_id is not LEFT_OUT and space_id != ticket.space_id:
        new = await Space.get_or_none(id=space_id, organization_id=ticket.organization_id) if space_id else None
        if space_id and new is None:
            raise NotFound("room or desk", field=("spaceId",))
        old = await Space.get_or_none(id=ticket.space_id) if ticket.space_id else None
        if new and device_ids is None and any(each.space_id != new.id for each in before):
            raise Invalid("Some of its devices stand elsewhere. Say which it is about now.", field=("deviceIds",))
        ticket.space_id = space_id
        found.append(("space", old.name if old else None, new.name if new else None))
    if device_ids is not None:
        after = await _devices(ticket, device_ids)
        if {each.id for each in after} != {each.id for each in before}:
            await ticket.devices.clear()
            if after:
                await ticket.devices.add(*after)
            found.append(("devices", _named(before), _named(after)))
    return found


async def _devices(ticket: Ticket, device_ids: Sequence[UUID]) -> list[Device]:
    wanted = list(dict.fromkeys(device_ids))
    if len(wanted) > MOST_DEVICES:
        raise Invalid("At most {limit} devices.", field=("deviceIds",), limit=MOST_DEVICES)
    here = Device.filter(id__in=wanted, organization_id=ticket.organization_id)
    rows = await (here.filter(space_id=ticket.space_id) if ticket.space_id else here).order_by("name", "id")
    if len(rows) < len(wanted):
        raise NotFound("device", field=("deviceIds",))
    return rows


def _named(devices: Sequence[Device]) -> str | None:
    """Their names in one line, as far as it takes them."""
    names = ", ".join(each.name for each in devices)
    return (names if len(names) <= 300 else f"{names[:299]}…") or None
