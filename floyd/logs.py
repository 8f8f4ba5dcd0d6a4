"""JSON lines on standard output, as Cloud Logging reads them; plain text on a terminal.

Only fields on the allow list leave the process: no words, names, numbers or tokens. Messages are constants of the code.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

from floyd.errors import FloydError

# Fields a log call may add with `extra`. All are opaque ids, counts, or words from closed lists. Those of the canonical
# lines (`kind`) are what dashboards and alerts are made of; docs/operating.md says which line has which.
_FIELDS = """
    uid rid attempt epoch job event status reason category code vendor relay sid ms count
    kind end_reason cost seconds turns gap_p50_ms gap_max_ms hops line turn speaker cut dead_air_ms turn_gap_ms
    endpoint_ms final_ms token_ms clause_ms audio_ms calls_live room draining stuck
    holes ear_rotations ear_dropped_ms tokens_in tokens_cached frames_missing
"""
FIELDS = tuple(_FIELDS.split())

# One per request of a person, made with it and stored on it: from the client's first POST to the last webhook.
trace: ContextVar[str] = ContextVar("trace", default="")

_PHONE_NUMBER = re.compile(r"\+?\d[\d ().-]{5,}\d")


class JsonLines(logging.Formatter):
    """One JSON object per line: time, severity, logger, message, trace, and the allowed fields."""

    def __init__(self, project: str = "") -> None:
        """`project`: whose Cloud Logging reads the lines; it links a trace only under its full name."""
        super().__init__()
        self._traces = f"projects/{project}/traces/" if project else ""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if current := trace.get():
            line["logging.googleapis.com/trace"] = self._traces + current
        fields = ((name, getattr(record, name, None)) for name in FIELDS)
        line |= {name: value for name, value in fields if value is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _PHONE_NUMBER.sub("[number]", _described(record.exc_info[1]))
        return json.dumps(line, default=str, ensure_ascii=True)


def _message(record: logging.LogRecord) -> str:
    """The message; an exception among its arguments says only what it is, and a vendor's sentence keeps no number."""
    if isinstance(record.args, tuple):
        record.args = tuple(_named(each) if isinstance(each, BaseException) else each for each in record.args)
    return _PHONE_NUMBER.sub("[number]", record.getMessage())


def _named(error: BaseException) -> str:
    return type(error).__name__ + (f": {error}" if isinstance(error, FloydError) else "")


def _described(error: BaseException) -> str:
    """An exception without the words it may carry: its type, where it was raised; its message only if it is ours."""
    frames = [
        f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"{_named(error)} at {' < '.join(reversed(frames[-6:]))}"


def set_up(level: int = logging.INFO) -> None:
    """Send this process's log to standard output. Vendors' own chatter stays out below WARNING."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(os.environ.get("GOOGLE_CLOUD_PROJECT", "")))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("floyd", "functions", "relay"):
        logging.getLogger(name).setLevel(level)
