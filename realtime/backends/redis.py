"""The doorbell on Redis: SUBSCRIBE on one connection, PUBLISH on another."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from realtime.backends.reconnecting import CONNECT_TIMEOUT, ReconnectingBackend
from realtime.line import IO_TIMEOUT


class RedisBackend(ReconnectingBackend):
    """Raises: ValueError, when it is no URL of Redis."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._redis = Redis.from_url(
            url,
            client_name="casewire-doorbell",
            decode_responses=True,
            encoding_errors="replace",  # What is not text is not ours, and no reason to go.
            # With RESP3, redis-py moves subscriptions to another server by itself when it is asked to.
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=IO_TIMEOUT,
        )

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(*self._channels)
            while True:
                message = await pubsub.get_message(timeout=None)
                if message and message["type"] == "subscribe":
                    self._connected()  # Every time: redis-py may connect and subscribe again without a word.
                elif message and message["type"] == "message":
                    self._heard(message["channel"], message["data"])

    async def _send(self, channel: str, message: str) -> None:
        await self._redis.publish(channel, message)

    async def _close(self) -> None:
        await self._redis.aclose()
