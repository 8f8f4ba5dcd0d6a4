"""What a call costs, from the seconds, characters and tokens it used. List prices of November 2026, in dollars.

Estimates for the person and for the daily limit, not an invoice: volume discounts and taxes are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from floyd.documents import Cost
from floyd.prices import price_of_tokens
from relay.mind import Usage

# Twilio, "Programmable Voice pricing" United States: outbound call 0.0140 a started minute, Media Streams 0.0040.
LINE_PER_MINUTE = Decimal("0.018")
# Google, "Speech-to-Text pricing": V2 standard recognition, first tier, 0.016 a minute.
RECOGNITION_PER_MINUTE = Decimal("0.016")
# Google, "Text-to-Speech pricing": Chirp 3 HD voices, 30 per million characters.
SYNTHESIS_PER_CHARACTER = Decimal("0.00003")


_NOTHING = Cost()


def cost_of(
    *, line_s: float, recognised_s: float, characters: int, usages: Iterable[Usage], earlier: Cost = _NOTHING
) -> Cost:
    """The sum and its parts. `line_s`: since the callee answered, at whatever relay; the carrier bills started minutes.

    `earlier`: the bill of the relays that held the call before; all else is this relay's alone.
    """
    parts = {
        "line": LINE_PER_MINUTE * math.ceil(line_s / 60),
        "recognition": RECOGNITION_PER_MINUTE * Decimal(recognised_s) / 60,
        "synthesis": SYNTHESIS_PER_CHARACTER * characters,
        "model": sum((_tokens(usage) for usage in usages), Decimal(0)),
    }
    parts |= {name: part + Decimal(earlier.parts.get(name, "0")) for name, part in parts.items() if name != "line"}
    rounded = {name: part.quantize(Decimal("0.0001")) for name, part in parts.items()}
    return Cost(amount=str(sum(rounded.values())), parts={name: str(part) for name, part in rounded.items()})


def _tokens(usage: Usage) -> Decimal:
    return price_of_tokens(
        usage.model, input_tokens=usage.input, cached_tokens=usage.cached, output_tokens=usage.output
    )
