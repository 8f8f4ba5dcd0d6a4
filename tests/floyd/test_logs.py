"""Log lines are JSON and carry nothing that a person said or is."""

from __future__ import annotations

import json
import logging

import pytest

from floyd import logs
from floyd.errors import VendorError


def line(record: logging.LogRecord) -> dict[str, object]:
    written: dict[str, object] = json.loads(logs.JsonLines("floyd-prod").format(record))
    return written


def record(message: str = "moved", **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("floyd.tests", logging.WARNING, __file__, 1, message, None, None)
    made.__dict__.update(extra)
    return made


def test_only_listed_fields_leave_the_process() -> None:
    """If this fails phone numbers, names or words end up in the operator's logs."""
    logs.trace.set("trace-1")

    written = line(record(rid="r1", status="done", cost=None, number="+12125550100", text="Mara is sick"))

    assert (written["severity"], written["rid"], written["status"]) == ("WARNING", "r1", "done")
    assert written["logging.googleapis.com/trace"] == "projects/floyd-prod/traces/trace-1"
    assert "cost" not in written
    assert "+1212" not in str(written)
    assert "Mara" not in str(written)


@pytest.mark.parametrize("junk", ["a\nb", "\x1b[31m", "\u202e", "\ud800", "\0", '"}'])
def test_no_text_breaks_a_line(junk: str) -> None:
    """If this fails a name can forge log lines or stop the log."""
    formatted = logs.JsonLines().format(record(rid=junk))

    assert "\n" not in formatted
    assert formatted.isascii()
    assert json.loads(formatted)["rid"] == junk


def test_a_message_keeps_neither_numbers_nor_what_strangers_exceptions_say() -> None:
    """If this fails a carrier's refusal puts the callee's number into the log."""
    refused = record("the carrier refused the call: %s %s")
    refused.args = (21211, "The 'To' number +1 (212) 555-0100 is not valid, in 30 s")
    failed = record("%s: %s")
    failed.args = ("look_at_call", ValueError("Mara is sick"))

    assert line(refused)["message"].endswith("21211 The 'To' number [number] is not valid, in 30 s")  # type: ignore[attr-defined]
    assert line(failed)["message"] == "look_at_call: ValueError"


def test_an_error_is_named_without_the_words_it_carries() -> None:
    """If this fails a vendor's error message puts a transcript line into the log."""
    failed = record()
    try:
        raise ValueError("Mara is sick")
    except ValueError as error:
        failed.exc_info = (type(error), error, error.__traceback__)
    ours = record()
    try:
        raise VendorError("OpenAI", "no answer", retryable=True)
    except VendorError as error:
        ours.exc_info = (type(error), error, error.__traceback__)

    assert "Mara" not in str(line(failed))
    assert "ValueError at" in str(line(failed)["error"])
    assert "OpenAI: no answer" in str(line(ours)["error"])
