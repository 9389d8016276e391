"""The provider's keys: fetched seldom, shared, and only those that can sign for us."""

import asyncio
import json
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from structlog.testing import capture_logs

from server.auth.jwks import MAX_BYTES, KeySource, fetch, usable_keys
from tests.server.auth.helpers import Clock

pytestmark = pytest.mark.anyio

OLD = ECKey.generate_key("P-256", {"kid": "old"}).as_dict(private=False)
NEW = ECKey.generate_key("P-256", {"kid": "new"}).as_dict(private=False)


class Provider:
    """Publishes `keys`; counts how often it is asked. While it is down, it answers with an error."""

    def __init__(self, *keys: Any) -> None:
        self.keys = keys
        self.asked = 0
        self.down = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, url: str) -> bytes:
        self.asked += 1
        assert self.may_answer.wait(timeout=5)
        if self.down:
            raise ConnectionRefusedError("nobody listens")
        return json.dumps({"keys": self.keys}).encode()


def source(provider: Provider, clock: Clock) -> KeySource:
    return KeySource("https://login.example.com/keys", fetch=provider, now=clock)


async def has(keys: KeySource, kid: str) -> bool:
    return await keys.get(kid) is not None


async def test_keys_are_fetched_once_and_kept(clock: Clock) -> None:
    provider = Provider(OLD, NEW)
    keys = source(provider, clock)

    assert await has(keys, "old")
    clock.advance(minutes=9, seconds=59)
    assert await has(keys, "new")

    assert provider.asked == 1


async def test_a_key_that_was_withdrawn_is_forgotten_after_ten_minutes(clock: Clock) -> None:
    provider = Provider(OLD)
    keys = source(provider, clock)
    assert await has(keys, "old")
    provider.keys = (NEW,)

    clock.advance(minutes=10)

    assert not await has(keys, "old")
    assert provider.asked == 2


async def test_an_unknown_name_fetches_again_so_that_a_new_key_works_at_once(clock: Clock) -> None:
    provider = Provider(OLD)
    keys = source(provider, clock)
    assert await has(keys, "old")
    provider.keys = (OLD, NEW)

    clock.advance(seconds=30)

    assert await has(keys, "new")
    assert provider.asked == 2


async def test_made_up_names_do_not_become_requests(clock: Clock) -> None:
    provider = Provider(OLD)
    keys = source(provider, clock)

    for number in range(60):
        assert not await has(keys, f"made-up-{number}")
        clock.advance(seconds=1)

    assert provider.asked == 2


async def test_many_that_ask_at_once_share_one_fetch(clock: Clock) -> None:
    provider = Provider(OLD)
    provider.may_answer.clear()
    keys = source(provider, clock)

    async with asyncio.timeout(5):
        waiting = [asyncio.create_task(has(keys, "old")) for _ in range(50)]
        await asyncio.sleep(0)
        provider.may_answer.set()
        found = await asyncio.gather(*waiting)

    assert found == [True] * 50
    assert provider.asked == 1


async def test_one_that_gives_up_does_not_stop_the_others(clock: Clock) -> None:
    provider = Provider(OLD)
    provider.may_answer.clear()
    keys = source(provider, clock)

    async with asyncio.timeout(5):
        first, second = (asyncio.create_task(has(keys, "old")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        provider.may_answer.set()

        assert await second


async def test_known_keys_outlast_an_outage_for_a_day(clock: Clock) -> None:
    provider = Provider(OLD)
    keys = source(provider, clock)
    assert await has(keys, "old")
    provider.down = True

    clock.advance(hours=23, minutes=59)
    assert await has(keys, "old")

    clock.advance(minutes=1)
    assert not await has(keys, "old")


async def test_after_an_outage_the_next_try_is_half_a_minute_later(clock: Clock) -> None:
    provider = Provider(OLD)
    provider.down = True
    keys = source(provider, clock)
    with capture_logs() as logs:
        assert not await has(keys, "old")
    provider.down = False

    clock.advance(seconds=29)
    assert not await has(keys, "old")
    clock.advance(seconds=1)
    assert await has(keys, "old")

    assert [line["event"] for line in logs] == ["jwks_fetch_failed"]


with warnings.catch_warnings(action="ignore", category=SecurityWarning):
    SHORT = RSAKey.generate_key(1024, {"kid": "x"}).as_dict(private=False)

UNUSABLE = {
    "a symmetric key": OctKey.generate_key(256, {"kid": "x"}).as_dict(),
    "an RSA key of 1024 bits": SHORT,
    "a key on another curve": ECKey.generate_key("P-384", {"kid": "x"}).as_dict(private=False),
    "an Edwards key of another kind": OKPKey.generate_key("Ed448", {"kid": "x"}).as_dict(private=False),
    "a key for encryption": {**NEW, "kid": "x", "use": "enc"},
    "a key without a name": {name: value for name, value in NEW.items() if name != "kid"},
    "a key whose name is a number": {**NEW, "kid": 7},
    "a key of a kind to come": {"kty": "AKP", "kid": "x"},
    "a key that is broken": {**NEW, "kid": "x", "x": "!"},
    "a key without its parts": {"kty": "EC", "crv": "P-256", "kid": "x"},
    "no key at all": "x",
}


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("entry", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_sign_for_us_is_left_out(entry: Any) -> None:
    found = usable_keys(json.dumps({"keys": [OLD, entry]}).encode())

    assert found.keys() == {"old"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"null", b"{}", b'{"keys":7}', b"\xff", b"[" * 9999])
def test_what_is_no_key_set_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        usable_keys(body)


values = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.integers(), max_size=2)


@given(
    entry=st.fixed_dictionaries(
        {
            "kty": st.sampled_from(["RSA", "EC", "OKP"]),
            "crv": st.sampled_from(["P-256", "Ed25519"]),
            "kid": st.just("x"),
        },
        optional=dict.fromkeys(("n", "e", "d", "x", "y", "alg", "use", "key_ops", "p", "q", "dp", "oth"), values),
    )
)
def test_no_key_whatsoever_breaks_the_set(entry: dict[str, Any]) -> None:
    assert "old" in usable_keys(json.dumps({"keys": [entry, OLD]}).encode())


@pytest.fixture
def http() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/keys":
                    self.answer(200, b'{"keys":[]}')
                case "/large":
                    self.answer(200, b" " * (MAX_BYTES + 1))
                case "/moved":
                    self.answer(302, b"", Location="/keys")
                case _:
                    self.answer(404, b"")

        def answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(timeout=5)


def test_keys_come_over_http_from_this_machine(http: str) -> None:
    assert fetch(f"{http}/keys") == b'{"keys":[]}'


def test_an_endless_answer_is_cut(http: str) -> None:
    with pytest.raises(ValueError, match="larger than 262144 bytes"):
        fetch(f"{http}/large")


def test_a_redirect_is_not_followed(http: str) -> None:
    with pytest.raises(HTTPError, match="302"):
        fetch(f"{http}/moved")


@pytest.mark.parametrize("url", ["http://login.example.com/keys", "file:///etc/passwd", "ftp://127.0.0.1/x", "keys"])
def test_an_unsafe_address_is_not_asked(url: str) -> None:
    with pytest.raises(ValueError, match="neither https nor on this machine"):
        fetch(url)
