"""Logs as JSON, one object a line. No content of a call, no key and no header goes into them."""

from __future__ import annotations

import logging
import sys
import time

import orjson

LOGGER = "langchain_unified.gateway"


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, message, and the record's `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Of an exception the class and the places, not its text, which may quote what was sent."""
        found = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            found |= {"error": type(error).__name__, "places": places(error)}
        return orjson.dumps(found, default=str).decode()


def places(error: BaseException) -> list[str]:
    """File and line of each frame, the innermost last."""
    found, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send the gateway's logs, and the server's warnings, to stderr as JSON."""
    # Facts of a record that no line shows. Gathering them takes longer than writing the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # the place of the call: https://docs.python.org/3/howto/logging.html#optimization
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name, at in ((LOGGER, level), ("uvicorn.error", logging.WARNING), ("aiohttp", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(at)
        logger.propagate = False
    logging.getLogger("uvicorn.error").addFilter(_no_upgrades)


def _no_upgrades(record: logging.LogRecord) -> bool:
    """Uvicorn advises to install a WebSocket library; the gateway answers such requests on purpose."""
    return "upgrade request" not in str(record.msg) and "WebSocket library" not in str(record.msg)
