"""What the functions work with. Every part is made without I/O and connects on first use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from floyd.carrier import Carrier
from floyd.identity import Tokens
from floyd.intake import Intake
from floyd.relays import RelayDirectory
from floyd.settings import Settings
from floyd.store import Store
from functions.model import Model
from functions.sound import Sound


@dataclass(frozen=True, slots=True)
class Parts:
    """`now` is the moment of the event that is served. A carrier without an account refuses everything.

    `pause_s`: a failed vendor gets so long, growing with each try, before it is asked again.
    """

    store: Store
    settings: Settings
    carrier: Carrier
    relays: RelayDirectory
    tokens: Tokens
    intake: Intake
    model: Model
    sound: Sound
    now: datetime
    pause_s: float = 1.0

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Parts:
        """The parts that the settings name; one set per process, since some of them remember."""
        account, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
        return cls(
            store,
            settings,
            Carrier(account, token, api_base=settings.floyd_twilio_api_base),
            RelayDirectory(settings),
            Tokens(settings),
            Intake(store, settings),
            Model(settings),
            Sound(settings),
            datetime.now(UTC),
        )
