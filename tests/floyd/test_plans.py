"""Schemas sent to the model must be in the form its strict mode accepts."""

from typing import Any

import pytest
from pydantic import BaseModel

from floyd.plans import OutcomeDraft, Plan, strict_schema


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        own = [node] if "properties" in node else []
        return own + [found for child in node.values() for found in _objects(child)]
    return [found for child in node for found in _objects(child)] if isinstance(node, list) else []


@pytest.mark.parametrize("model", [Plan, OutcomeDraft])
def test_every_object_is_closed_and_complete(model: type[BaseModel]) -> None:
    """If this fails the vendor refuses the schema with 400 and no errand is ever planned."""
    objects = _objects(strict_schema(model))

    assert objects
    for found in objects:
        assert found["required"] == list(found["properties"])
        assert found["additionalProperties"] is False
        assert not any("default" in child for child in found["properties"].values())


def test_a_property_named_like_a_keyword_survives() -> None:
    """A found task has a `title`; tightening the schema must not take the property for an annotation."""
    schema = strict_schema(OutcomeDraft)

    assert list(schema["$defs"]["FoundTask"]["properties"]) == ["title", "due", "kind", "turn"]
