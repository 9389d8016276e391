"""Files: their limits, announcing one, taking one back."""

from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from strawberry import ID, Info

from domain import attachments as rules
from domain import policy
from resolvers import attachments
from schema.access import signed_in
from schema.node import global_id, key_of, key_or_none
from schema.operations import GIVEN, mutation
from schema.payloads import Payload, made
from schema.scalars import URL
from schema.timeline import Attachment

CLIENT_MUTATION_ID = "Comes back in the payload, so that a client can tell its requests apart."


@strawberry.type(description="What may be attached.")
class AttachmentPolicy:
    max_files_per_message: int = strawberry.field(description="The most files of one message.")
    max_file_size_bytes: int = strawberry.field(description="The most bytes of one file.")
    allowed_extensions: list[str] = strawberry.field(
        description="The kinds of files, in lower case. The content must be what the extension says."
    )


def the_policy() -> AttachmentPolicy:
    limits = rules.AttachmentPolicy()
    return AttachmentPolicy(
        max_files_per_message=limits.max_files_per_message,
        max_file_size_bytes=limits.max_file_size_bytes,
        allowed_extensions=list(limits.allowed_extensions),
    )


@strawberry.type(description="A file that was announced, and where its bytes go.")
class AttachmentUpload:
    attachment: Attachment = strawberry.field(description="The file: attach it by its id once the bytes are there.")
    upload_url: URL = strawberry.field(description="Where to send the bytes, with PUT. Whoever has it may.")
    expires_at: datetime = strawberry.field(description="Until when they are taken.")


@strawberry.input(description="A file to be announced.")
class AttachmentUploadCreateInput:
    file_name: str = strawberry.field(description="Its name with its extension; at most 255 characters.")
    media_type: str = strawberry.field(
        description="What the client takes it for; it is kept and handed out as what its extension says."
    )
    size_bytes: int = strawberry.field(description="How many bytes will be sent, exactly.")
    checksum: str | None = strawberry.field(
        description="Their SHA-256 in hexadecimal; with it, other bytes are refused.", default=None
    )
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.input(description="A file to be taken back.")
class AttachmentDeleteInput:
    attachment_id: ID = strawberry.field(description="The file.")
    client_mutation_id: str | None = strawberry.field(description=CLIENT_MUTATION_ID, default=None)


@strawberry.type(description="The file announced.")
class AttachmentUploadCreatePayload(Payload):
    upload: AttachmentUpload | None = made("The file, and where its bytes go")


@strawberry.type(description="The file taken back.")
class AttachmentDeletePayload(Payload):
    attachment_id: ID | None = made("Its id")


@strawberry.type
class AttachmentQueries:
    @strawberry.field(description="What may be attached.", directives=signed_in())
    def attachment_policy(
        self,
        organization_id: Annotated[
            ID | None, strawberry.argument(description="In which organization; the limits are the same in all.")
        ] = None,
    ) -> AttachmentPolicy:
        key_or_none(organization_id, "Organization", field="organizationId")
        return the_policy()


@strawberry.type
class AttachmentMutations:
    @mutation("Announce a file, and get the address to send its bytes to.", policy.UPLOAD_FILE)
    async def attachment_upload_create(
        self, info: Info, input: Annotated[AttachmentUploadCreateInput, GIVEN]
    ) -> AttachmentUploadCreatePayload:
        found = await attachments.create_upload(
            info.context,
            file_name=input.file_name,
            media_type=input.media_type,
            size_bytes=input.size_bytes,
            checksum=input.checksum,
        )
        upload = AttachmentUpload(
            attachment=cast(Any, found.attachment), upload_url=URL(found.upload_url), expires_at=found.expires_at
        )
        return AttachmentUploadCreatePayload(upload=upload)

    @mutation("Take back a file: one that waits, or one on a ticket.", policy.DELETE_ATTACHMENT)
    async def attachment_delete(
        self, info: Info, input: Annotated[AttachmentDeleteInput, GIVEN]
    ) -> AttachmentDeletePayload:
        key = key_of(input.attachment_id, "Attachment", field="attachmentId")
        gone = await attachments.delete_attachment(info.context, key)
        return AttachmentDeletePayload(attachment_id=global_id("Attachment", gone))
