"""The parts put together from settings, as a server does it."""

from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
from starlette.applications import Starlette

import models
from domain.errors import Unauthenticated
from models.database import reader
from realtime.hub import Hub
from resolvers.context import Services
from server.auth import auth_from, mint_access_token
from server.auth.jwt import MAX_LIFETIME
from server.settings import Settings, load_settings
from tests.server.auth.helpers import Clock

pytestmark = pytest.mark.anyio


def made(secret: str = "s") -> Settings:
    return load_settings(env="test", secret_key=secret * 32, access_token_ttl=timedelta(minutes=5))


async def test_who_signs_in_is_recognised_with_the_token(ann: models.User, clock: Clock) -> None:
    auth = auth_from(made(), Services(hub=Hub(reader)), now=clock)
    ann.password_hash = await auth.passwords.hash("correct horse")
    await ann.save()
    transport = httpx2.ASGITransport(app=Starlette(routes=auth.routes))

    async with httpx2.AsyncClient(transport=transport, base_url="http://casewire.test", timeout=10) as client:
        form = {"grant_type": "password", "email": ann.email, "password": "correct horse"}
        body = (await client.post("/auth/token", data=form)).json()
    viewer = await auth.authenticator(body["access_token"])

    assert (viewer.user_id, viewer.expires_at) == (ann.id, clock() + timedelta(minutes=5))
    auth.passwords.close()


async def test_a_token_from_the_command_line_is_recognised_by_the_server(ann: models.User) -> None:
    token = mint_access_token(made(), ann.id, timedelta(hours=2))

    assert (await auth_from(made(), Services(hub=Hub(reader))).authenticator(token)).user_id == ann.id


async def test_another_secret_does_not_recognise_it(ann: models.User) -> None:
    token = mint_access_token(made("a"), ann.id)

    with pytest.raises(Unauthenticated):
        await auth_from(made("b"), Services(hub=Hub(reader))).authenticator(token)


def test_the_command_line_cannot_make_a_token_for_longer_than_any_may_last() -> None:
    with pytest.raises(ValueError, match="lasts between a second and"):
        mint_access_token(made(), uuid4(), MAX_LIFETIME + timedelta(seconds=1))
