"""OpenAI's Responses API for work that is not heard: one question, one answer in a strict schema."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from floyd.errors import VendorError
from floyd.plans import strict_schema
from floyd.prices import price_of_tokens
from floyd.settings import Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.responses import Response

# Below the lease of 60 s, so that whoever waits for the model still holds its job when it gives up.
DEADLINE_S = 40.0
CONNECT_S = 5.0
# A plan or an outcome has about 600 tokens; thinking comes on top.
MOST_TOKENS = 6000

Answer = TypeVar("Answer", bound=BaseModel)


class Model:
    """One model. Its connections open on first use and belong to the event loop of that moment."""

    def __init__(self, settings: Settings, *, deadline_s: float = DEADLINE_S) -> None:
        self._settings = settings
        self._deadline_s = deadline_s

    async def ask(
        self,
        name: Literal["plan", "outcome"],
        rules: str,
        content: dict[str, Any],
        answer: type[Answer],
        *,
        person: str,
    ) -> tuple[Answer, Decimal]:
        """One answer in the schema called `name`, and its price in dollars. Asked once: the caller decides about more.

        Raises VendorError, retryable unless the vendor refused the question itself.
        """
        import openai  # noqa: PLC0415 - slow vendor import

        try:
            async with asyncio.timeout(self._deadline_s):
                response: Response = await self.client.responses.create(
                    model=self._settings.floyd_planner_model,
                    instructions=rules,
                    input=[{"role": "user", "content": json.dumps(content, ensure_ascii=False)}],
                    text={
                        "format": {"type": "json_schema", "name": name, "strict": True, "schema": strict_schema(answer)}
                    },
                    reasoning={"effort": "low"},
                    max_output_tokens=MOST_TOKENS,
                    store=False,
                    prompt_cache_key=f"floyd-{name}",
                    safety_identifier=sha256(person.encode()).hexdigest()[:32],
                )
        except (openai.APIConnectionError, TimeoutError) as error:
            raise VendorError("OpenAI", "no answer", retryable=True) from error
        except openai.APIStatusError as error:
            # Without money on the account it will be refused again and again.
            retryable = error.status_code >= 500 or (error.status_code == 429 and error.code != "insufficient_quota")
            words = f"refused with status {error.status_code}"
            raise VendorError("OpenAI", words, retryable=retryable, code=str(error.code or "")) from error
        except openai.OpenAIError as error:
            raise VendorError("OpenAI", type(error).__name__, retryable=True) from error
        return _parsed(response, answer), self._dollars(response)

    def _dollars(self, response: Response) -> Decimal:
        usage = response.usage
        if usage is None:
            return Decimal(0)
        return price_of_tokens(
            self._settings.floyd_planner_model,
            input_tokens=usage.input_tokens,
            cached_tokens=usage.input_tokens_details.cached_tokens,
            output_tokens=usage.output_tokens,
        )

    @cached_property
    def client(self) -> AsyncOpenAI:
        import httpx2  # noqa: PLC0415 - slow import
        from openai import AsyncOpenAI  # noqa: PLC0415 - slow vendor import

        return AsyncOpenAI(
            api_key=self._settings.openai_api_key.get_secret_value(),
            base_url=self._settings.openai_base_url or None,
            max_retries=0,
            timeout=httpx2.Timeout(self._deadline_s, connect=CONNECT_S),
        )


def _parsed(response: Response, answer: type[Answer]) -> Answer:
    """The answer as a value. What the schema did not hold off is a fault of the vendor's, and may pass."""
    if response.status != "completed":
        raise VendorError("OpenAI", f"the answer is {response.status}", retryable=True)
    try:
        return answer.model_validate_json(response.output_text)
    except ValidationError as error:
        words = f"the answer does not fit the schema ({error.error_count()})"
        raise VendorError("OpenAI", words, retryable=True) from None
