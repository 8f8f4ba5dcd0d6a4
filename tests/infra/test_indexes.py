"""The emulator answers every query; Firestore answers those that have an index. Here the two are compared.

Every method of the store that filters is called against a server that writes down the query it is sent, as the real
client sends it. What each query needs follows from Firestore's rules, and must be in infra/firestore.indexes.json.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.types import RunAggregationQueryRequest, RunQueryRequest, StructuredQuery

import floyd.store
from floyd.documents import Status
from floyd.store import Store
from tests.infra.conftest import INFRA

KNOWN = json.loads((INFRA / "firestore.indexes.json").read_text())
NOW = datetime(2026, 11, 23, tzinfo=UTC)
# What a parameter of a filtering method may be given, by what its annotation mentions first.
VALUES: dict[str, Any] = {"Status": [Status.WAITING, Status.READY], "datetime": NOW, "int": 1, "str": "x"}
# Forgotten on a day that the person has chosen, and left out when they are read after it; or long after their end.
CHOSEN, ENDED = ("facts", "live", "tapes", "turns"), ("calls", "events", "jobs", "questions", "requests")
FORGOTTEN = {(each, "expires_at") for each in (*CHOSEN, *ENDED)}
EQUALITIES = {"EQUAL", "IN", "ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY"}

Index = tuple[str, str, tuple[tuple[str, str], ...]]

COMPOSITE: set[Index] = {
    (each["collectionGroup"], each["queryScope"], tuple((of["fieldPath"], of["order"]) for of in each["fields"]))
    for each in KNOWN["indexes"]
}


def filtering() -> list[str]:
    """The methods of the store that ask with a condition."""
    found = []
    for path in sorted(Path(floyd.store.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and any(
                isinstance(each, ast.Attribute) and each.attr == "where" for each in ast.walk(node)
            ):
                found.append(node.name)
    return found


class Recorder(grpc.GenericRpcHandler):
    """A Firestore in which nothing is found; it keeps the queries."""

    def __init__(self) -> None:
        self.queries: list[StructuredQuery] = []

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        method = str(call.method).rsplit("/", 1)[-1]
        if method not in {"RunQuery", "RunAggregationQuery"}:
            return None

        async def answer(request: bytes, context: grpc.ServicerContext) -> AsyncIterator[bytes]:
            if method == "RunQuery":
                self.queries.append(RunQueryRequest.deserialize(request).structured_query)
            else:
                asked = RunAggregationQueryRequest.deserialize(request).structured_aggregation_query
                self.queries.append(asked.structured_query)
            return
            yield b""

        return grpc.unary_stream_rpc_method_handler(answer)


@pytest.fixture
async def recorder(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Recorder, Store]]:
    recorder, server = Recorder(), grpc.aio.server()
    server.add_generic_rpc_handlers((recorder,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{port}")
    client = AsyncClient(project="demo-indexes", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    try:
        yield recorder, Store(client)
    finally:
        await client._firestore_api.transport.close()
        await server.stop(0)


def shape(query: StructuredQuery) -> tuple[str, str, list[tuple[str, str]], list[tuple[str, str]]]:
    """(collection, scope, [(field, operator)], [(field, direction)])."""
    origin = query.from_[0]
    given = query.where.composite_filter.filters or ([query.where] if query.where else [])
    filters = [(each.field_filter.field.field_path, each.field_filter.op.name) for each in given]
    orders = [(each.field.field_path, each.direction.name) for each in query.order_by]
    return origin.collection_id, "COLLECTION_GROUP" if origin.all_descendants else "COLLECTION", filters, orders


def needs(query: StructuredQuery) -> set[Index]:
    """The indexes that Firestore does not make by itself: over several fields, or of one field over all collections."""
    collection, scope, filters, orders = shape(query)
    same = sorted({field for field, operator in filters if operator in EQUALITIES})
    ranged = dict.fromkeys(field for field, operator in filters if operator not in EQUALITIES)
    sorted_by = dict.fromkeys(ranged, "ASCENDING") | dict(orders)
    if sorted_by and len(same) + len(sorted_by) > 1:
        fields = [(field, "ASCENDING") for field in same] + [(field, way) for field, way in sorted_by.items()]
        return {(collection, scope, tuple(fields))}
    single = {(field, "ASCENDING") for field in same} | set(sorted_by.items())
    return {(collection, scope, (each,)) for each in single}


def automatic(collection: str, field: str) -> set[Index]:
    """What Firestore makes of a field by itself, unless infra says otherwise."""
    told = [
        each for each in KNOWN["fieldOverrides"] if (each["collectionGroup"], each["fieldPath"]) == (collection, field)
    ]
    if told and "indexes" in told[0]:
        return {(collection, each["queryScope"], ((field, each["order"]),)) for each in told[0]["indexes"]}
    return {(collection, "COLLECTION", ((field, way),)) for way in ("ASCENDING", "DESCENDING")}


async def recorded(recorder: Recorder, store: Store, method: str) -> list[StructuredQuery]:
    """The queries of one method."""
    bound = getattr(store, method)
    given = {
        name: next(value for kind, value in VALUES.items() if kind in str(parameter.annotation))
        for name, parameter in inspect.signature(bound).parameters.items()
        if parameter.default is parameter.empty
    }
    recorder.queries.clear()
    with suppress(GoogleAPICallError, IndexError):  # only the question counts, and this server has no counts either
        await bound(**given)
    return list(recorder.queries)


@pytest.mark.parametrize("method", filtering())
async def test_every_query_has_its_index(recorder: tuple[Recorder, Store], method: str) -> None:
    """If this fails a query works on every laptop and is refused in production: add to infra/firestore.indexes.json."""
    queries = await recorded(*recorder, method)

    assert queries, f"{method} was not seen to ask anything"
    for query in queries:
        for index in needs(query):
            collection, _, fields = index
            there = COMPOSITE if len(fields) > 1 else automatic(collection, fields[0][0])
            assert index in there, f"{method} needs {index}"


async def test_no_index_is_kept_for_nothing(recorder: tuple[Recorder, Store]) -> None:
    """If this fails every write pays for an index that no query uses."""
    asked = {index for method in filtering() for query in await recorded(*recorder, method) for index in needs(query)}
    overridden = [each for each in KNOWN["fieldOverrides"] if "indexes" in each]
    single = [automatic(each["collectionGroup"], each["fieldPath"]) for each in overridden]

    assert COMPOSITE.union(*single) - asked == set()


async def test_what_the_sweeper_removes_expires_by_itself_too(recorder: tuple[Recorder, Store]) -> None:
    """If this fails what is over stays for ever in a deployment whose sweeper stands still."""
    queries = await recorded(*recorder, "remove_expired")
    swept = {(shape(query)[0], shape(query)[2][0][0]) for query in queries} - {("relays", "beat_at")}  # a heartbeat
    ttls = {(each["collectionGroup"], each["fieldPath"]) for each in KNOWN["fieldOverrides"] if each.get("ttl")}

    assert ttls == swept | FORGOTTEN
