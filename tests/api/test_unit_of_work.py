"""A write is done whole or not at all, and announced only when it is done."""

import asyncio
from contextlib import suppress

import pytest

import models
from domain.errors import Conflict
from resolvers.context import Context, Services
from resolvers.transaction import Work, settle, unit_of_work
from tests.api.world import nothing_changes
from tests.client import PATIENCE
from tests.conftest import AsUser
from tests.factories import LONG_AGO, make_staff

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ctx(as_user: AsUser, services: Services) -> Context:
    return Context(await as_user(await make_staff()).viewer(), services)


async def write(work: Work, name: str) -> None:
    await models.Organization.create(name=name, created_at=LONG_AGO)
    work.emit((f"of:{name}",), "made", {"name": name})


@unit_of_work
async def make(work: Work, ctx: Context, name: str) -> None:
    await write(work, name)


@unit_of_work
async def make_and_give_up(work: Work, ctx: Context, name: str) -> None:
    await write(work, name)
    raise Conflict("No.")


async def stored() -> tuple[list[str], list[str]]:
    """The names that were written and the streams that were announced on."""
    names = [each.name for each in await models.Organization.all().order_by("name")]
    return names, sorted(each.topic for each in await models.FeedStream.all())


async def test_what_fails_is_neither_stored_nor_announced(ctx: Context) -> None:
    async with nothing_changes():
        with pytest.raises(Conflict):
            await make_and_give_up(ctx, "gone")


async def test_a_step_that_is_given_up_takes_only_itself_back(ctx: Context) -> None:
    @unit_of_work
    async def whole(work: Work, ctx: Context) -> None:
        await write(work, "before")
        with suppress(Conflict):
            await make_and_give_up(ctx, "gone")
        await make(ctx, "inner")

    await whole(ctx)

    assert await stored() == (["before", "inner"], ["of:before", "of:inner"])


async def test_a_step_of_what_fails_later_goes_with_it(ctx: Context) -> None:
    @unit_of_work
    async def whole(work: Work, ctx: Context) -> None:
        await make(ctx, "inner")
        raise Conflict("No.")

    with pytest.raises(Conflict):
        await whole(ctx)

    assert await stored() == ([], [])


async def test_a_write_whose_caller_hangs_up_is_done_whole(ctx: Context) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    @unit_of_work
    async def slow(work: Work, ctx: Context) -> None:
        await write(work, "first")
        inside.set()
        await go_on.wait()
        await write(work, "second")

    caller = asyncio.create_task(slow(ctx))
    async with asyncio.timeout(PATIENCE):
        await inside.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go_on.set()
        await settle()
        await make(ctx, "third")

    assert await stored() == (["first", "second", "third"], ["of:first", "of:second", "of:third"])


async def test_what_was_read_before_is_forgotten_after(ctx: Context) -> None:
    before = ctx.loaders

    await make(ctx, "one")

    assert ctx.loaders is not before
