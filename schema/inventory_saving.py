"""Entering rooms, desks, their groups and devices, and assigning licences."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, UNSET, Info

from domain import policy
from models import SpaceKind
from resolvers import placing
from schema.inputs import CLIENT_MUTATION_ID
from schema.inventory import Desk, Device, Room, ServiceLicense, SpaceGroup
from schema.node import key_of, key_or_none
from schema.operations import GIVEN, check_place, key_or_left_out, mutation, or_left_out
from schema.payloads import Payload, made

WHOSE = "Whose it is; that does not change."
GROUP = "The group it belongs to; null: none."


@strawberry.input(description="A room to be entered or changed. What is left out stays as it is.")
class RoomSaveInput:
    room_id: ID | None = strawberry.field(description="The one to change; a new one if left out.", default=None)
    organization_id: ID = strawberry.field(description=WHOSE)
    name: str = strawberry.field(description="Its name.")
    group_id: ID | None = strawberry.field(description=GROUP, default=UNSET)
    capacity: int | None = strawberry.field(description="How many people it seats; null: nobody said.", default=UNSET)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A desk to be entered or changed. What is left out stays as it is.")
class DeskSaveInput:
    desk_id: ID | None = strawberry.field(description="The one to change; a new one if left out.", default=None)
    organization_id: ID = strawberry.field(description=WHOSE)
    name: str = strawberry.field(description="Its name.")
    group_id: ID | None = strawberry.field(description=GROUP, default=UNSET)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Which room or desk to take away.")
class SpaceDeleteInput:
    space_id: ID = strawberry.field(description="The room or desk.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A group of rooms and desks to be entered or changed. What is left out stays as it is.")
class SpaceGroupSaveInput:
    group_id: ID | None = strawberry.field(description="The one to change; a new one if left out.", default=None)
    organization_id: ID = strawberry.field(description=WHOSE)
    name: str = strawberry.field(description="Its name.")
    parent_id: ID | None = strawberry.field(description="The group it is part of; null: none.", default=UNSET)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A device to be entered or changed. What is left out stays as it is.")
class DeviceSaveInput:
    device_id: ID | None = strawberry.field(description="The one to change; a new one if left out.", default=None)
    organization_id: ID = strawberry.field(description=WHOSE)
    product_id: ID = strawberry.field(description="What it is.")
    serial_number: str = strawberry.field(description="The number printed on it; kept in capitals, once each.")
    name: str | None = strawberry.field(
        description="Its name; a new one that is given none is called like its product.", default=None
    )
    space_id: ID | None = strawberry.field(description="Where it stands; null: nowhere.", default=UNSET)
    firmware_version: str | None = strawberry.field(description="What runs on it; null: nobody knows.", default=UNSET)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="Which room or desk a licence is to cover.")
class LicenseAssignInput:
    license_id: ID = strawberry.field(description="The licence.")
    space_id: ID | None = strawberry.field(description="The room or desk; null: none.", default=None)
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The room entered or changed.")
class RoomSavePayload(Payload):
    room: Room | None = made("The room")


@strawberry.type(description="The desk entered or changed.")
class DeskSavePayload(Payload):
    desk: Desk | None = made("The desk")


@strawberry.type(description="The room or desk taken away.")
class SpaceDeletePayload(Payload):
    space_id: ID | None = made("Its id, which finds nothing any more")


@strawberry.type(description="The group entered or changed.")
class SpaceGroupSavePayload(Payload):
    group: SpaceGroup | None = made("The group")


@strawberry.type(description="The device entered or changed.")
class DeviceSavePayload(Payload):
    device: Device | None = made("The device")


@strawberry.type(description="The licence assigned.")
class LicenseAssignPayload(Payload):
    license: ServiceLicense | None = made("The licence")


@strawberry.type
class InventoryMutations:
    @mutation("Enter a room of an organization, or change one.", policy.MANAGE_INVENTORY)
    async def room_save(self, info: Info, input: Annotated[RoomSaveInput, GIVEN]) -> RoomSavePayload:
        given = placing.Placing(
            organization_id=_organization(input.organization_id),
            kind=SpaceKind.ROOM,
            name=input.name,
            space_id=key_or_none(input.room_id, "Room", field="roomId"),
            group_id=key_or_left_out(input.group_id, "SpaceGroup", field="groupId"),
            capacity=or_left_out(input.capacity),
        )
        return RoomSavePayload(room=cast(Any, await placing.save_space(info.context, given)))

    @mutation("Enter a desk of an organization, or change one.", policy.MANAGE_INVENTORY)
    async def desk_save(self, info: Info, input: Annotated[DeskSaveInput, GIVEN]) -> DeskSavePayload:
        given = placing.Placing(
            organization_id=_organization(input.organization_id),
            kind=SpaceKind.DESK,
            name=input.name,
            space_id=key_or_none(input.desk_id, "Desk", field="deskId"),
            group_id=key_or_left_out(input.group_id, "SpaceGroup", field="groupId"),
        )
        return DeskSavePayload(desk=cast(Any, await placing.save_space(info.context, given)))

    @mutation(
        "Take a room or desk away. Its devices, licences and tickets stay, and stand nowhere.", policy.MANAGE_INVENTORY
    )
    async def space_delete(self, info: Info, input: Annotated[SpaceDeleteInput, GIVEN]) -> SpaceDeletePayload:
        key = key_of(input.space_id, "Room", "Desk", field="spaceId")
        await check_place(info, input.space_id)
        await placing.delete_space(info.context, key)
        return SpaceDeletePayload(space_id=input.space_id)

    @mutation("Enter a group of rooms and desks, or change one.", policy.MANAGE_INVENTORY)
    async def space_group_save(self, info: Info, input: Annotated[SpaceGroupSaveInput, GIVEN]) -> SpaceGroupSavePayload:
        group = await placing.save_group(
            info.context,
            _organization(input.organization_id),
            key_or_none(input.group_id, "SpaceGroup", field="groupId"),
            name=input.name,
            parent_id=key_or_left_out(input.parent_id, "SpaceGroup", field="parentId"),
        )
        return SpaceGroupSavePayload(group=cast(Any, group))

    @mutation("Enter a device of an organization, or change one.", policy.MANAGE_INVENTORY)
    async def device_save(self, info: Info, input: Annotated[DeviceSaveInput, GIVEN]) -> DeviceSavePayload:
        given = placing.Installing(
            organization_id=_organization(input.organization_id),
            product_id=key_of(input.product_id, "Product", field="productId"),
            serial_number=input.serial_number,
            device_id=key_or_none(input.device_id, "Device", field="deviceId"),
            name=input.name,
            space_id=key_or_left_out(input.space_id, "Room", "Desk", field="spaceId"),
            firmware_version=or_left_out(input.firmware_version),
        )
        await check_place(info, input.space_id)
        return DeviceSavePayload(device=cast(Any, await placing.save_device(info.context, given)))

    @mutation("Let a licence cover a room or desk, or none.", policy.ASSIGN_LICENSE)
    async def license_assign(self, info: Info, input: Annotated[LicenseAssignInput, GIVEN]) -> LicenseAssignPayload:
        key = key_of(input.license_id, "ServiceLicense", field="licenseId")
        place = key_or_none(input.space_id, "Room", "Desk", field="spaceId")
        await check_place(info, input.space_id)
        licence = await placing.assign_license(info.context, key, place)
        return LicenseAssignPayload(license=cast(Any, licence))


def _organization(given: str) -> Any:
    return key_of(given, "Organization", field="organizationId")
