"""The description that clients are generated from."""

from __future__ import annotations

from typing import Any

from functions.api import OPERATIONS
from functions.bodies import NewRequest
from functions.openapi import document

METHODS = {"get", "post", "patch", "delete"}


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(child) for child in node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_every_reference_leads_somewhere() -> None:
    """If this fails a generator of clients stops at the first missing schema."""
    described = document(OPERATIONS)
    known = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert references(described) <= known
    assert references(described["paths"]) >= {"#/components/schemas/NewRequest", "#/components/schemas/Problem"}


def test_every_call_says_what_it_takes_and_may_answer() -> None:
    """If this fails clients cannot tell a refusal from a fault, or two calls share a name."""
    paths = document(OPERATIONS)["paths"]
    calls = {(path, method): call for path, methods in paths.items() for method, call in methods.items()}
    assert all(method in METHODS for _, method in calls)
    assert len({call["operationId"] for call in calls.values()}) == len(calls)
    for (path, _), call in calls.items():
        assert {"400", "401", "403", "404"} < set(call["responses"])
        assert [each["name"] for each in call.get("parameters", [])] == [
            part[1:-1] for part in path.split("/") if part.startswith("{")
        ]
    assert calls["/requests", "post"]["requestBody"]["required"]
    assert not calls["/requests/{rid}/approve", "post"]["requestBody"]["required"]
    assert {"409", "413", "429"} < set(calls["/requests", "post"]["responses"])


def test_bodies_are_described_by_the_models_that_check_them() -> None:
    """If this fails a client that keeps to the description is refused."""
    described = document(OPERATIONS)["components"]["schemas"]["NewRequest"]
    assert described["properties"].keys() == NewRequest.model_fields.keys()
    assert described["additionalProperties"] is False
    assert described["properties"]["text"]["maxLength"] == 2000
