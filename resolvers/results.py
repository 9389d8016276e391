"""What a job has made, and whether it may still be handed out: rights may have changed since it was made."""

from uuid import UUID

from domain.enums import JobKind, JobStatus
from models import Job
from resolvers.context import Context
from resolvers.ticket_export import is_still_shown


async def downloadable(ctx: Context, job_id: UUID) -> Job | None:
    """The job, if the viewer sees it and now may see all that is in its file (J3, J4, S07).

    What is in a list the store knows: `resolvers.tickets_export.are_still_exportable` is to be asked.
    """
    made = Job.filter(Job.seen_by(ctx.viewer), id=job_id, status=JobStatus.SUCCEEDED, expires_at__gt=ctx.now())
    job = await made.first()
    if job is None or (job.kind is JobKind.TICKET_EXPORT and not await is_still_shown(ctx, job)):
        return None
    return job
