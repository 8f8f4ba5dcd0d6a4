"""The bill of a call."""

from __future__ import annotations

from decimal import Decimal

from floyd.prices import UNKNOWN_MODEL
from relay.mind import Usage
from relay.prices import cost_of


def test_the_bill_is_the_sum_of_its_parts() -> None:
    """Fails if a person were shown another price than the vendors ask."""
    usage = Usage("gpt-6-luna", input=20_000, cached=10_000, output=2_000)
    cost = cost_of(line_s=130, recognised_s=120, characters=1000, usages=[usage])
    assert cost.parts == {"line": "0.0540", "recognition": "0.0320", "synthesis": "0.0300", "model": "0.0021"}
    assert cost.amount == "0.1181"
    assert cost.currency == "USD"


def test_a_resumed_call_has_one_bill() -> None:
    """Fails if what another relay spent were forgotten, or a minute of the line counted twice."""
    first = cost_of(line_s=70, recognised_s=60, characters=1000, usages=[])
    cost = cost_of(line_s=100, recognised_s=30, characters=500, usages=[], earlier=first)
    assert cost.parts == {"line": "0.0360", "recognition": "0.0240", "synthesis": "0.0450", "model": "0.0000"}


def test_an_unknown_model_counts_as_the_dearest() -> None:
    """Fails if a new model made calls look free."""
    cost = cost_of(line_s=0, recognised_s=0, characters=0, usages=[Usage("new", input=1_000_000, cached=0, output=0)])
    assert Decimal(cost.parts["model"]) == UNKNOWN_MODEL.input
