"""`POST /auth/token` and `POST /auth/revoke` over HTTP: signing in, staying so, signing out, and being refused."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from structlog.testing import capture_logs

import models
from server.auth.access import AccessTokens
from server.auth.authenticator import Authenticator
from server.auth.brake import Brake
from server.auth.passwords import Passwords
from server.auth.refresh import RefreshTokens
from server.auth.routes import auth_routes
from server.auth.sign_in import Grant, SignIn
from tests.server.auth.helpers import Clock, make_user

pytestmark = pytest.mark.anyio

INVALID_GRANT = {
    "error": "invalid_grant",
    "error_description": "These credentials are no good, or no longer. Sign in again.",
}


@pytest.fixture
async def client(
    passwords: Passwords, access: AccessTokens, refresh: RefreshTokens, clock: Clock
) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=auth_routes(SignIn(passwords, access, refresh), Brake(), now=clock))
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.1", 40000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://casewire.test", timeout=10) as client:
        yield client


async def sign_in(client: httpx2.AsyncClient, email: str = "ann@example.com", password: str = "correct horse") -> Any:
    return await client.post("/auth/token", json={"grant_type": "password", "email": email, "password": password})


async def use(client: httpx2.AsyncClient, refresh_token: str) -> Any:
    return await client.post("/auth/token", json={"grant_type": "refresh_token", "refresh_token": refresh_token})


def answer(response: Any) -> tuple[int, Any]:
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json()


async def test_a_password_gives_a_pair_of_tokens(
    client: httpx2.AsyncClient, access: AccessTokens, ann: models.User
) -> None:
    status, body = answer(await sign_in(client))

    assert status == 200
    assert (await Authenticator(access)(body.pop("access_token"))).user_id == ann.id
    assert len(body.pop("refresh_token")) == 43
    assert body == {"token_type": "Bearer", "expires_in": 900, "refresh_expires_in": 2_592_000}


@pytest.mark.parametrize("name", ["username", "email"])
async def test_a_form_is_read_as_well(client: httpx2.AsyncClient, ann: models.User, name: str) -> None:
    form = {"grant_type": "password", name: " Ann@Example.com", "password": "correct horse"}

    assert (await client.post("/auth/token", data=form)).status_code == 200


async def test_a_refresh_token_gives_the_next_pair_once(
    client: httpx2.AsyncClient, access: AccessTokens, ann: models.User
) -> None:
    first = (await sign_in(client)).json()

    status, second = answer(await use(client, first["refresh_token"]))

    assert status == 200
    assert (await Authenticator(access)(second["access_token"])).user_id == ann.id
    assert answer(await use(client, first["refresh_token"])) == (400, INVALID_GRANT)
    assert answer(await use(client, second["refresh_token"])) == (400, INVALID_GRANT)


async def test_every_refusal_of_credentials_answers_alike(
    client: httpx2.AsyncClient, ann: models.User, clock: Clock
) -> None:
    await make_user("nopassword@example.com", clock, password=None)
    gone = await make_user("gone@example.com", clock)
    gone.is_active = False
    await gone.save()

    refused = [
        await sign_in(client, password="wrong"),
        await sign_in(client, "eve@example.com"),
        await sign_in(client, "nopassword@example.com"),
        await sign_in(client, "gone@example.com"),
        await sign_in(client, "no address"),
        await sign_in(client, "ann@example.com\x00"),
        await use(client, "A" * 43),
        await use(client, "é"),
    ]

    assert [answer(response) for response in refused] == [(400, INVALID_GRANT)] * 8


async def test_signing_out_ends_the_sign_in(client: httpx2.AsyncClient, ann: models.User) -> None:
    first = (await sign_in(client)).json()

    response = await client.post("/auth/revoke", json={"refresh_token": first["refresh_token"]})

    assert answer(response) == (200, {})
    assert answer(await use(client, first["refresh_token"])) == (400, INVALID_GRANT)


async def test_signing_out_with_an_unknown_token_is_no_error(client: httpx2.AsyncClient, db: None) -> None:
    assert answer(await client.post("/auth/revoke", json={"refresh_token": "A" * 43})) == (200, {})


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BAD_REQUESTS: dict[str, tuple[str, bytes, str]] = {
    "no JSON": (JSON, b"{", "The body is not JSON."),
    "JSON that is not UTF-8": (JSON, b'{"grant_type":"\xff"}', "The body is not JSON."),
    "half a surrogate pair": (JSON, b'{"grant_type":"\\ud800"}', "The body is not JSON."),
    "JSON nested ten thousand deep": (JSON, b"[" * 10_000, "The body is not JSON."),
    "a list": (JSON, b"[]", "The body is not an object of strings."),
    "a number among the strings": (JSON, b'{"grant_type":7}', "The body is not an object of strings."),
    "nothing": (JSON, b"{}", "grant_type is missing."),
    "a password without email": (JSON, b'{"grant_type":"password","password":"x"}', "email is missing."),
    "an empty password": (FORM, b"grant_type=password&email=a&password=", "password is missing."),
    "no refresh token": (FORM, b"grant_type=refresh_token", "refresh_token is missing."),
    "a parameter twice": (FORM, b"grant_type=password&grant_type=x", "A parameter is given more than once."),
    "a hundred parameters": (FORM, b"a=b&" * 100, "The body is not a form."),
    "a form that is not ASCII": (FORM, b"\xff=1", "The body is not a form."),
    "plain text": ("text/plain", b"{}", "Send application/json or application/x-www-form-urlencoded."),
    "almost JSON": ("application/json-really", b"{}", "Send application/json or application/x-www-form-urlencoded."),
}


@pytest.mark.parametrize(("kind", "body", "said"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
async def test_a_bad_request_says_what_is_wrong(client: httpx2.AsyncClient, kind: str, body: bytes, said: str) -> None:
    response = await client.post("/auth/token", content=body, headers={"Content-Type": kind})

    assert answer(response) == (400, {"error": "invalid_request", "error_description": said})


async def test_an_unknown_grant_is_unsupported(client: httpx2.AsyncClient) -> None:
    status, body = answer(await client.post("/auth/token", json={"grant_type": "client_credentials"}))

    assert (status, body["error"]) == (400, "unsupported_grant_type")


async def test_a_body_over_16_kilobytes_is_cut_however_it_is_sent(client: httpx2.AsyncClient) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 1024

    whole = await client.post("/auth/token", content=b" " * 17 * 1024, headers={"Content-Type": JSON})
    chunked = await client.post("/auth/token", content=in_chunks(), headers={"Content-Type": JSON})

    too_large = (413, {"error": "invalid_request", "error_description": "The body is too large."})
    assert [answer(whole), answer(chunked)] == [too_large] * 2


async def test_only_post_is_allowed(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/auth/token")).status_code == 405
    assert (await client.get("/auth/revoke")).status_code == 405


async def test_after_ten_wrong_passwords_even_the_right_one_waits(
    client: httpx2.AsyncClient, ann: models.User, clock: Clock
) -> None:
    for _ in range(10):
        assert (await sign_in(client, password="wrong")).status_code == 400
    clock.advance(minutes=1, milliseconds=1)

    response = await sign_in(client, " ANN@example.com")

    assert answer(response) == (
        429,
        {"error": "slow_down", "error_description": "Too many attempts. Try again in 240 seconds."},
    )
    assert response.headers["retry-after"] == "240"
    clock.advance(minutes=4)
    assert (await sign_in(client)).status_code == 200


async def test_a_person_who_signs_in_often_is_not_slowed(client: httpx2.AsyncClient, ann: models.User) -> None:
    assert [(await sign_in(client)).status_code for _ in range(12)] == [200] * 12


async def test_an_outdated_hash_is_renewed_by_signing_in(
    client: httpx2.AsyncClient, ann: models.User, passwords: Passwords
) -> None:
    ann.password_hash = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash("correct horse")
    await ann.save()

    assert (await sign_in(client, password="wrong")).status_code == 400
    assert (await models.User.get(id=ann.id)).password_hash == ann.password_hash
    assert (await sign_in(client)).status_code == 200

    renewed = (await models.User.get(id=ann.id)).password_hash
    assert renewed is not None
    assert not passwords.is_outdated(renewed)
    assert (await sign_in(client)).status_code == 200


async def test_nothing_secret_is_logged(client: httpx2.AsyncClient, ann: models.User) -> None:
    with capture_logs() as logs:
        tokens = (await sign_in(client)).json()
        await sign_in(client, password="wrong horse")
        await use(client, tokens["refresh_token"])
        await use(client, tokens["refresh_token"])

    said = str(logs)
    assert "refresh_token_reused" in said
    for secret in (tokens["access_token"], tokens["refresh_token"], "correct horse", "wrong horse"):
        assert secret not in said


async def test_tokens_are_not_in_the_repr_of_a_grant(
    passwords: Passwords, access: AccessTokens, refresh: RefreshTokens, ann: models.User
) -> None:
    grant = await SignIn(passwords, access, refresh).with_password("ann@example.com", "correct horse")

    assert isinstance(grant, Grant)
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)
