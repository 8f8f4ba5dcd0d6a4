"""Documents are read by mobile apps of other versions: names and shapes must hold."""

from datetime import UTC, datetime

from floyd.documents import Call, CallStatus, Request, Status

NOW = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


def test_a_request_survives_the_store() -> None:
    """If this fails a field written by one process is lost or changed when another reads it."""
    request = Request(text="order flowers", created_at=NOW, deadline=NOW)

    stored = request.to_store()

    assert stored["v"] == 1
    assert stored["status"] == "pending"
    assert type(stored["status"]) is str
    assert "not_before" not in stored
    assert Request.from_store(stored) == request


def test_a_call_says_from_and_not_from_underscore() -> None:
    """If this fails clients find no caller number: `from` is a keyword in Python but a field in the store."""
    call = Call(to="+12125550100", from_="+12125550199", status=CallStatus.IN_PROGRESS)

    stored = call.to_store()

    assert stored["from"] == "+12125550199"
    assert "from_" not in stored
    assert Call.from_store(stored) == call


def test_unknown_fields_are_left_alone() -> None:
    """A newer process may add a field; an older one must still read the document."""
    stored = Request(text="x", created_at=NOW, deadline=NOW).to_store() | {"later": 1}

    assert Request.from_store(stored).status is Status.PENDING
