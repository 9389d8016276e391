"""Log lines: for people at a terminal, or as JSON for machines."""

import logging
import sys

import structlog

from server.settings import Settings


def set_up_logs(settings: Settings) -> None:
    """Send structlog's lines and those of the libraries through one pair of processors."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    for_people = settings.log_format == "console"
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if for_people
        else structlog.processors.JSONRenderer()
    )
    errors = [] if for_people else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *errors, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn.error").addFilter(is_no_chatter)
    # The requests themselves are the proxy's to log; here they would drown what matters.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("tortoise", "asyncio", "aiosqlite", "httpx", "multipart"):
        logging.getLogger(name).setLevel(logging.WARNING)


def is_no_chatter(record: logging.LogRecord) -> bool:
    """uvicorn tells of every socket that opens and closes, three lines each: of a thousand watchers that is no news."""
    message = str(record.msg)
    return not (message.startswith("connection ") or '"WebSocket' in message)
