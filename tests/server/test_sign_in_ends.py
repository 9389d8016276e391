"""A sign-in that ends takes its access tokens and its sockets with it, in every process (J3)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import models
from models import FeedStream
from models.database import reader
from realtime.hub import Hub
from resolvers import messages
from resolvers.access import announce_access
from resolvers.context import Context, Services
from resolvers.streams import streams_of
from resolvers.transaction import Work, work_in_transaction
from resolvers.viewers import load_viewer
from server.auth.refresh import RefreshTokens
from server.transport.websocket import TextSocket
from tests.databases import ENGINES, fresh_database
from tests.factories import make_staff
from tests.server.auth.helpers import CHEAP
from tests.server.desk import MESSAGES, Desk, running_desk
from tests.server.running import Socket, http, open_socket, serving, settings_for, until

pytestmark = pytest.mark.anyio

ME = "{ viewer { user { displayName } } }"


@dataclass(slots=True)
class SignedIn:
    access_token: str
    refresh_token: str


async def sign_in(address: str, user: models.User, **given: str) -> SignedIn:
    credentials = given or {"grant_type": "password", "username": user.email, "password": "correct horse"}
    if not given:
        await models.User.filter(id=user.id).update(password_hash=CHEAP.hash("correct horse"))
    async with http(address) as client:
        answer = (await client.post("/auth/token", json=credentials)).json()
    return SignedIn(answer["access_token"], answer["refresh_token"])


async def sign_out(address: str, signed_in: SignedIn) -> None:
    async with http(address) as client:
        answer = await client.post("/auth/revoke", json={"refresh_token": signed_in.refresh_token})
        assert answer.status_code == 200


async def who(address: str, token: str) -> tuple[int, Any]:
    async with http(address, token) as client:
        answer = await client.post("/graphql", json={"query": ME})
        return answer.status_code, answer.json()


async def opened(desk: Desk, token: str) -> Socket:
    return await desk.stack.enter_async_context(open_socket(desk.served.address, token))


async def in_another_process(desk: Desk, signed_in: SignedIn, text: str) -> None:
    """Sign out and write in the ticket there; this one hears only that the ticket has news."""
    elsewhere = Services(hub=Hub(reader))
    await RefreshTokens(elsewhere, ttl=timedelta(days=30)).revoke(signed_in.refresh_token)
    viewer = await load_viewer(desk.sam.id)
    assert viewer is not None
    await messages.send_message(Context(viewer, elsewhere), desk.ticket.id, body=text, client_message_id=text)
    heads = await FeedStream.filter(topic__in=streams_of(desk.ticket.id)).values_list("topic", "head")
    desk.served.casewire.services.hub.ring(dict(heads))


@pytest.fixture(params=ENGINES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with running_desk(request.param, tmp_path, quiet=True) as desk:
        yield desk


on_sqlite = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)


async def test_signing_out_ends_the_tokens_and_sockets_of_this_sign_in_alone(desk: Desk) -> None:
    address = desk.served.address
    first, second = await sign_in(address, desk.bob), await sign_in(address, desk.bob)
    ended, other = await opened(desk, first.access_token), await opened(desk, second.access_token)

    await sign_out(address, first)

    assert await ended.closed() == 4401
    assert (await who(address, first.access_token))[0] == 401
    assert (await who(address, second.access_token))[1]["data"]["viewer"]["user"] == {"displayName": "Bob"}
    watch = await (await other.watch(MESSAGES, t=desk.id)).caught_up()
    await desk.say("still here")
    assert await watch.bodies(1) == ["still here"]


async def test_a_refresh_token_that_is_used_twice_ends_the_sockets_of_its_sign_in(desk: Desk) -> None:
    address = desk.served.address
    first = await sign_in(address, desk.bob)
    second = await sign_in(address, desk.bob, grant_type="refresh_token", refresh_token=first.refresh_token)
    socket = await opened(desk, second.access_token)

    async with http(address) as client:
        again = {"grant_type": "refresh_token", "refresh_token": first.refresh_token}
        assert (await client.post("/auth/token", json=again)).json()["error"] == "invalid_grant"

    assert await socket.closed() == 4401
    assert [(await who(address, each.access_token))[0] for each in (first, second)] == [401, 401]


@pytest.mark.parametrize("grouped", [True, False])
async def test_nothing_after_the_end_of_a_sign_in_reaches_its_socket(desk: Desk, grouped: bool) -> None:  # J3
    """Another process ends it: this one finds out with the next event, and hands out nothing before."""
    signed_in = await sign_in(desk.served.address, desk.bob)
    socket = await opened(desk, signed_in.access_token)
    document = MESSAGES if grouped else "subscription($t: ID!) { ticket(ticketId: $t) { __typename } }"
    watch = await (await socket.watch(document, t=desk.id)).caught_up()
    if grouped:
        await until(lambda: desk.grouped == 1)

    other = await desk.watch(desk.ann)
    await other.caught_up()
    close, may_close = TextSocket.close, asyncio.Event()

    async def later(self: TextSocket, code: int, reason: str) -> None:
        """The close frame takes its time: it is not what keeps the events back."""
        await may_close.wait()
        await close(self, code, reason)

    with mock.patch.object(TextSocket, "close", later):
        await in_another_process(desk, signed_in, "after")
        await desk.say("later")
        assert await other.bodies(2) == ["after", "later"]
        assert watch.frames.empty()
        may_close.set()
        assert await socket.closed() == 4401

    assert watch.frames.get_nowait() is None
    await until(lambda: desk.grouped <= 1)


async def test_a_sign_in_that_ended_before_the_process_began_is_known(tmp_path: Path) -> None:
    async with fresh_database("sqlite", tmp_path) as url:
        settings = settings_for(url, tmp_path)
        async with serving(settings) as earlier:
            ann = await make_staff(name="Ann")
            ended, kept = await sign_in(earlier.address, ann), await sign_in(earlier.address, ann)
            await sign_out(earlier.address, ended)

        async with serving(settings) as later:
            assert (await who(later.address, ended.access_token))[0] == 401
            assert (await who(later.address, kept.access_token))[0] == 200


@on_sqlite
async def test_an_account_that_is_switched_off_loses_its_sockets(desk: Desk) -> None:
    socket, other = await desk.socket(desk.bob), await desk.socket(desk.ann)

    async def switch_off(work: Work) -> None:
        await models.User.filter(id=desk.bob.id).update(is_active=False)
        announce_access(work, user_id=desk.bob.id)

    viewer = await load_viewer(desk.kim.id)
    assert viewer is not None
    await work_in_transaction(Context(viewer, desk.served.casewire.services), switch_off)

    assert await socket.closed() == 4401
    await (await other.watch(MESSAGES, t=desk.id)).caught_up()


@on_sqlite
async def test_a_request_does_not_ask_the_database_whether_its_sign_in_has_ended(desk: Desk) -> None:
    signed_in = await sign_in(desk.served.address, desk.bob)

    with mock.patch.object(models.RefreshToken, "filter", side_effect=AssertionError("asked")):
        assert (await who(desk.served.address, signed_in.access_token))[0] == 200


async def test_a_person_has_so_many_sockets_and_no_more(tmp_path: Path) -> None:
    async with (
        fresh_database("sqlite", tmp_path) as url,
        serving(settings_for(url, tmp_path, max_sockets_per_user=2)) as served,
    ):
        token = served.token(await make_staff(name="Ann"))
        async with open_socket(served.address, token), open_socket(served.address, token) as second:
            with pytest.raises(Exception, match="4420"):
                async with open_socket(served.address, token):
                    pass
            async with open_socket(served.address):
                pass  # nobody's are not counted together
            await second.connection.close()
            await until(lambda: len(served.casewire.sockets) == 1)
            async with open_socket(served.address, token):
                pass
        await until(lambda: served.casewire.sockets._people == {})


@on_sqlite
async def test_who_subscribes_while_the_database_is_away_is_to_try_again_later(desk: Desk) -> None:
    """With `error` a client would not come back; and the other operations of the socket come back as well."""
    away = mock.AsyncMock(side_effect=ConnectionRefusedError("the database is away"))
    early, late = await desk.socket(desk.bob), await desk.socket(desk.bob)
    with mock.patch.object(desk.served.endpoint, "_authenticate", away):
        await early.watch(MESSAGES, t=desk.id)
        assert await early.closed() == 1013

        query = await late.watch("{ viewer { user { id } } }")
        assert await query.refused() == ["INTERNAL"]  # a query is not sent again by itself

    await (await desk.watch(desk.bob)).caught_up()
