"""The log: one JSON object a line on standard error; it names, and never quotes (style.md 16)."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Time, level, logger, event, process, and what the caller named."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "process": record.process,
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["failure"] = _named(record.exc_info[1])
        return json.dumps(line, default=str)


def _named(failure: BaseException) -> list[str]:
    """Type and places of a failure and its causes; messages stay out, they may quote what was received."""
    told: list[str] = []
    current: BaseException | None = failure
    while current is not None and len(told) < 100:
        told.append(type(current).__name__)
        told += [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(current.__traceback__)
        ]
        current = current.__cause__ or current.__context__
    return told


def start_log(level: str) -> None:
    """Send every logger of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(logging.WARNING)
