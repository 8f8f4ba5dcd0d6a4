"""The API's description, made from the same models that check the bodies."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response
from starlette.routing import compile_path

from functions.bodies import Problem

# Answers one checked call with the process's parts.
Serve = Callable[[Any, Any], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: who serves it, what it takes, its good answers by status, its refusals beside 400, 401, 403 and 404.

    A call without a summary is open to anybody and not described. `rechecks`: it costs money, shows all or removes it,
    so a sign-in that was withdrawn a moment ago does not do.
    """

    method: str
    path: str
    serve: Serve
    summary: str = ""
    body: type[BaseModel] | None = None
    answers: Mapping[int, type[BaseModel] | None] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    rechecks: bool = False

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters if this is the call."""
        found = compile_path(self.path)[0].match(path) if method.lower() == self.method else None
        return found and found.groupdict()


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


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    operations = [operation for operation in operations if operation.summary]
    used = {model for each in operations for model in (each.body, *each.answers.values()) if model} | {Problem}
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [(model, "validation") for model in used]
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Floyd", "version": "1", "description": "Floyd makes phone calls for people."},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas["$defs"].items())),
            "securitySchemes": {"firebase": {"type": "http", "scheme": "bearer", "bearerFormat": "Firebase ID token"}},
        },
        "security": [{"firebase": []}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    refusals = dict.fromkeys(sorted((400, 401, 403, 404, *operation.refusals)), Problem)
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": re.sub(r"\W+", "_", f"{operation.method}{operation.path}").strip("_"),
        "responses": {
            str(status): {"description": _WORDS[status]} | _content(model)
            for status, model in {**operation.answers, **refusals}.items()
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
