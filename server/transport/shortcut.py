"""The way of most requests: past the router, whose look at every route costs them more than what the endpoint reads."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send


class Shortcut:
    """Middleware that hands each POST to one path to its endpoint, which answers its own errors.

    Whatever stands around it (hosts, other origins) stands around these requests too. Everything else is routed.
    """

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self.app, self.path, self.endpoint = app, path, endpoint

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_post = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == self.path
        return (self.endpoint if is_post else self.app)(scope, receive, send)
