"""The stock lines as they sound in one call. Their words are kept with those that are rendered before it."""

from floyd import lines
from floyd.lines import (
    AFTER_CUT,
    APOLOGY,
    BAIL,
    CANCELLED,
    CHECK_FIRST,
    COMPANY,
    CUT_IN,
    EAR_LOST,
    EAR_RESTORED,
    FAREWELL,
    FILLERS,
    GOING_IN_CIRCLES,
    LET_ME_CHECK,
    NO_INPUT,
    NO_INPUT_GOODBYE,
    NO_PROMISE,
    NOT_AGREED,
    OPERATOR,
    OPTED_OUT,
    STILL_HERE,
    TIME_IS_UP,
    WITHHELD,
)
from relay.core.brief import Brief

__all__ = [
    "AFTER_CUT",
    "APOLOGY",
    "BAIL",
    "CANCELLED",
    "CHECK_FIRST",
    "COMPANY",
    "CUT_IN",
    "EAR_LOST",
    "EAR_RESTORED",
    "FAREWELL",
    "FILLERS",
    "GOING_IN_CIRCLES",
    "LET_ME_CHECK",
    "NOT_AGREED",
    "NO_INPUT",
    "NO_INPUT_GOODBYE",
    "NO_PROMISE",
    "OPERATOR",
    "OPTED_OUT",
    "STILL_HERE",
    "TIME_IS_UP",
    "WITHHELD",
    "i_am_an_ai",
    "i_am_not_a_person",
    "responsible",
    "resumed",
    "stock",
    "transcribed",
    "who_i_am",
]


def resumed(brief: Brief) -> str:
    """After the call moved to another relay: the callee heard a short gap."""
    return lines.resumed(brief.on_behalf_of)


def i_am_an_ai(brief: Brief) -> str:
    return lines.i_am_an_ai(brief.on_behalf_of)


def i_am_not_a_person(brief: Brief) -> str:
    return lines.i_am_not_a_person(brief.on_behalf_of)


def transcribed(brief: Brief) -> str:
    return lines.transcribed(brief.on_behalf_of)


def who_i_am(brief: Brief) -> str:
    return lines.who_i_am(brief.on_behalf_of)


def responsible(brief: Brief) -> str:
    return lines.responsible(brief.on_behalf_of)


def stock(brief: Brief) -> tuple[str, ...]:
    """Every line that this call may need, the most urgent first."""
    return lines.stock(brief.on_behalf_of)
