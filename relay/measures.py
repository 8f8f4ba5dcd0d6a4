"""What a call took: the stages of each answer, seen from the end of the callee's speech, and the bill.

The bill is made of list prices of November 2026, in dollars: an estimate for the person and for the daily limit, not an
invoice; volume discounts and taxes are left out.
"""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from floyd.carrier import talk_limit_s
from floyd.documents import Cost, Gap, Person
from floyd.prices import DOLLARS_PER_MINUTE, price_of_tokens
from relay.core.transcript import Turn
from relay.mind import Usage

# Twilio, "Programmable Voice pricing" United States: outbound call 0.0140 a started minute, Media Streams 0.0040.
LINE_PER_MINUTE = Decimal("0.018")
# Google, "Speech-to-Text pricing": V2 standard recognition, first tier, 0.016 a minute.
RECOGNITION_PER_MINUTE = Decimal("0.016")
# Google, "Text-to-Speech pricing": Chirp 3 HD voices, 30 per million characters.
SYNTHESIS_PER_CHARACTER = Decimal("0.00003")


def gaps(turns: Iterable[Turn], first_token: Mapping[int, float], sound_at: Mapping[float, float]) -> list[Gap]:
    """One entry per answered turn.

    `first_token` gives the moment of a reply's first token by its id; `sound_at` the moment a segment's first sound
    came from the synthesiser, by the moment its first frame left. All moments are on the session's clock, in seconds.
    """
    found = []
    for turn in turns:
        stages = turn.stages
        if stages is None or stages.end_of_speech is None:
            continue
        moments = {
            "asked_ms": stages.asked,
            "endpoint_ms": stages.endpoint,
            "final_ms": stages.first_final,
            "token_ms": first_token.get(stages.reply_id),
            "clause_ms": stages.first_text,
            "audio_ms": sound_at.get(stages.first_sound) if stages.first_sound is not None else None,
            "frame_ms": stages.first_sound,
        }
        known = {name: round(1000 * (at - stages.end_of_speech), 1) for name, at in moments.items() if at is not None}
        found.append(Gap(turn=turn.seq, **known))
    return found


def turn_lines(turns: Iterable[Turn], measured: Iterable[Gap]) -> list[dict[str, Any]]:
    """The log line of each turn: how long the line was silent before it, and how an answer of ours came about."""
    stages = {gap.turn: gap for gap in measured}
    lines: list[dict[str, Any]] = []
    silent_since: int | None = None
    for turn in turns:
        line: dict[str, Any] = {"kind": "turn", "turn": turn.seq, "speaker": turn.speaker.value, "cut": turn.cut}
        if silent_since is not None:
            line["dead_air_ms"] = max(0, turn.start_ms - silent_since)
        if gap := stages.get(turn.seq):
            line |= gap.model_dump(exclude={"turn", "frame_ms"}) | {"turn_gap_ms": gap.frame_ms}
        lines.append(line)
        silent_since = max(silent_since or 0, turn.end_ms)
    return lines


def most_dollars(person: Person) -> Decimal:
    """What a call may cost: what dialling set aside for it, unless the person's `limits` say `call_cents`."""
    cents = person.limits.get("call_cents")
    return DOLLARS_PER_MINUTE * talk_limit_s(person) / 60 if cents is None else Decimal(cents) / 100


def cost_of(
    *, line_s: float, recognised_s: float, characters: int, usages: Iterable[Usage], earlier: Mapping[str, str]
) -> Cost:
    """The sum and its parts. `line_s`: since the callee answered, at whatever relay; the carrier bills started minutes.

    `earlier`: parts of the bill of the relays that held the call before; all else is this relay's alone.
    """
    tokens = (
        price_of_tokens(use.model, input_tokens=use.input, cached_tokens=use.cached, output_tokens=use.output)
        for use in usages
    )
    parts = {
        "line": LINE_PER_MINUTE * math.ceil(line_s / 60),
        "recognition": RECOGNITION_PER_MINUTE * Decimal(recognised_s) / 60,
        "synthesis": SYNTHESIS_PER_CHARACTER * characters,
        "model": sum(tokens, Decimal(0)),
    }
    parts |= {name: part + Decimal(earlier.get(name, "0")) for name, part in parts.items() if name != "line"}
    rounded = {name: part.quantize(Decimal("0.0001")) for name, part in parts.items()}
    return Cost(amount=str(sum(rounded.values())), parts={name: str(part) for name, part in rounded.items()})
