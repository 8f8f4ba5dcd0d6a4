"""JSON lines on standard output, as Cloud Logging reads them; plain text on a terminal.

Only fields on the allow list leave the process: no words, names, numbers or tokens. Messages are constants of the code.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

from floyd.errors import FloydError

# Fields a log call may add with `extra`. All are opaque ids, counts, or words from closed lists.
FIELDS = (
    "uid",
    "rid",
    "attempt",
    "epoch",
    "job",
    "event",
    "status",
    "reason",
    "category",
    "code",
    "vendor",
    "relay",
    "sid",
    "ms",
    "count",
    # A call's last line: how long, how much was said, how quickly we answered, what went wrong on the way.
    "seconds",
    "turns",
    "gap_p50_ms",
    "gap_max_ms",
    "holes",
    "ear_rotations",
    "ear_dropped_ms",
    "frames_missing",
)

# One per request of a person, from the client's first POST to the last webhook.
trace: ContextVar[str] = ContextVar("trace", default="")


class JsonLines(logging.Formatter):
    """One JSON object per line: time, severity, logger, message, trace, and the allowed fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := trace.get():
            line["trace"] = current
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _described(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=True)


def _described(error: BaseException) -> str:
    """An exception without the words it may carry: its type, where it was raised; its message only if it is ours."""
    frames = [
        f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    said = f": {error}" if isinstance(error, FloydError) else ""
    return f"{type(error).__name__}{said} at {' < '.join(reversed(frames[-6:]))}"


def set_up(level: int = logging.INFO) -> None:
    """Send this process's log to standard output. Vendors' own chatter stays out below WARNING."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("floyd", "functions", "relay"):
        logging.getLogger(name).setLevel(level)
