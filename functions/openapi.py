"""The API's description, made from the same models that check the bodies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.bodies import Address, Approval, Changes, NewRequest, Problem, Reply, RequestMade, Standing


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: what it takes, its good answers by status, and its own refusals beside 400, 401, 403 and 404."""

    method: str
    path: str
    summary: str
    body: type[BaseModel] | None
    answers: Mapping[int, type[BaseModel] | None]
    refusals: tuple[int, ...] = ()


_REQUEST = "/requests/{rid}"
OPERATIONS = (
    Operation("post", "/requests", "Ask for a call", NewRequest, {201: RequestMade, 200: RequestMade}, (409, 413, 429)),
    Operation("patch", _REQUEST, "Change a request that is not dialled yet", Changes, {200: Standing}, (409, 413)),
    Operation("post", f"{_REQUEST}/cancel", "Stop a request, and its call", None, {200: Standing}),
    Operation("post", f"{_REQUEST}/approve", "Approve the plan", Approval, {200: Standing}, (409, 413)),
    Operation("post", f"{_REQUEST}/retry", "Try a request that has ended again", None, {200: Standing}, (409,)),
    Operation("post", f"{_REQUEST}/questions/{{qid}}/answer", "Answer a question", Reply, {200: Standing}, (409, 413)),
    Operation("post", "/dictations", "Where to speak a request", None, {200: Address}, (503,)),
    Operation("get", "/export", "Everything stored about you", None, {200: None}),
    Operation("delete", "/account", "Remove yourself and everything stored about you", None, {202: None}),
)
_WORDS = {
    200: "Done",
    201: "Made",
    202: "Removed",
    400: "Not what this call takes",
    401: "No valid Firebase ID token",
    403: "Not admitted to this deployment",
    404: "Not there, or not yours",
    409: "The state does not allow it",
    413: "Too large",
    429: "Too many requests",
    503: "Nothing can take it now",
}


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    used = {each for operation in OPERATIONS for each in _models(operation)}
    models: list[type[BaseModel]] = sorted(used, key=lambda model: model.__name__)
    described: list[tuple[type[BaseModel], Literal["validation"]]] = [(model, "validation") for model in models]
    described.append((Problem, "validation"))
    _, schemas = models_json_schema(described, ref_template="#/components/schemas/{model}")
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Floyd", "version": "1", "description": "Floyd makes phone calls for people."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"firebase": {"type": "http", "scheme": "bearer", "bearerFormat": "Firebase ID token"}},
        },
        "security": [{"firebase": []}],
    }


def _models(operation: Operation) -> list[type[BaseModel]]:
    return [model for model in (operation.body, *operation.answers.values()) if model is not None]


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": re.sub(r"\W+", "_", f"{operation.method}{operation.path}").strip("_"),
        "responses": {
            str(status): {"description": _WORDS[status]} | _content(model)
            for status, model in (
                *operation.answers.items(),
                *((refusal, Problem) for refusal in sorted((400, 401, 403, 404, *operation.refusals))),
            )
        },
    }
    names = re.findall(r"\{(\w+)\}", operation.path)
    if names:
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if operation.body is not None:
        required = any(field.is_required() for field in operation.body.model_fields.values())
        described["requestBody"] = {"required": required} | _content(operation.body)
    return described


def _content(model: type[BaseModel] | None) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"} if model else {"type": "object"}
    return {"content": {"application/json": {"schema": schema}}}
