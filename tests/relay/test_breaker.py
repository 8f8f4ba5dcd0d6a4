"""Which model is asked first."""

from relay.breaker import FAILURES_TO_OPEN, OPEN_S, Breaker

MODELS = ("first", "fallback")


def test_a_failing_model_is_left_alone_for_a_while() -> None:
    """Fails if every turn began by waiting for a dead model, or a model that is well again were never asked."""
    breaker = Breaker()
    for failure in range(FAILURES_TO_OPEN):
        assert breaker.order(MODELS, now=failure) == MODELS
        breaker.failed("first", now=failure)
    assert breaker.order(MODELS, now=OPEN_S) == ("fallback", "first")
    later = FAILURES_TO_OPEN + OPEN_S
    assert breaker.order(MODELS, now=later) == MODELS
    breaker.failed("first", now=later)
    assert breaker.order(MODELS, now=later + 1) == ("fallback", "first")
    breaker.succeeded("first")
    breaker.failed("first", now=later + OPEN_S)
    assert breaker.order(MODELS, now=later + OPEN_S + 1) == MODELS


def test_with_all_models_failing_each_is_still_tried() -> None:
    """Fails if an outage of both models silenced calls for longer than it lasts."""
    breaker = Breaker()
    for model in MODELS * FAILURES_TO_OPEN:
        breaker.failed(model, now=0.0)
    assert breaker.order(MODELS, now=1.0) == MODELS
    assert breaker.order(("one", "one"), now=1.0) == ("one",)
