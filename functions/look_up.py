"""Finding a business's number by its name: Google Places, Text Search (New). Off without a key."""

from __future__ import annotations

import asyncio

from pydantic import AliasPath, BaseModel, Field

from floyd.errors import VendorError
from floyd.settings import Settings
from functions.plan_review import Found

ENDPOINT = "https://places.googleapis.com"
DEADLINE_S = 5.0
# The only fields asked for, and paid for.
FIELDS = "places.displayName,places.internationalPhoneNumber"
LONGEST_NAME = 100


class _Place(BaseModel):
    name: str = Field("", validation_alias=AliasPath("displayName", "text"))
    number: str = Field("", validation_alias="internationalPhoneNumber")


class _Places(BaseModel):
    places: list[_Place] = []


async def look_up(name: str, settings: Settings) -> Found | None:
    """The first place of this name that has a number. It counts as a first contact: the person must agree to it.

    What the directory says is data: only its two fields are read, and the number passes the gate like any other.
    Raises VendorError.
    """
    import httpx2  # noqa: PLC0415 - slow import

    key = settings.floyd_places_api_key.get_secret_value()
    if not name or not key:
        return None
    address = f"{settings.floyd_places_endpoint or ENDPOINT}/v1/places:searchText"
    headers = {"x-goog-api-key": key, "x-goog-fieldmask": FIELDS}
    try:
        async with asyncio.timeout(DEADLINE_S), httpx2.AsyncClient(timeout=DEADLINE_S) as client:
            answer = await client.post(address, json={"textQuery": name, "pageSize": 5}, headers=headers)
            answer.raise_for_status()
            found = _Places.model_validate_json(answer.content).places
    except (TimeoutError, httpx2.HTTPError, ValueError) as error:
        raise VendorError("Google Places", type(error).__name__, retryable=True) from error
    for place in found:
        if place.number:
            return Found(place.number, first_contact=True, name=(place.name or name)[:LONGEST_NAME])
    return None
