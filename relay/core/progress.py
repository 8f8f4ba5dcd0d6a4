"""Is the talk going anywhere? Notices echoes, parrots and loops, such as another machine at the far end."""

from dataclasses import dataclass, field

from relay.core.phrases import words
from relay.core.policy import Policy


@dataclass(slots=True)
class NoProgress:
    """Feed each turn of the callee that wants an answer; `stuck` says when to end politely."""

    policy: Policy
    _known: set[str] = field(default_factory=set)
    _earlier: set[tuple[str, ...]] = field(default_factory=set)
    _repeated: int = 0
    _stale: int = 0

    def receive(self, callee: str, last_spoken: str) -> None:
        """One turn of the callee, and what they last heard from us: an echo says nothing new either."""
        said, ours = tuple(words(callee)), tuple(words(last_spoken))
        stale = self._known.issuperset(said + ours)  # "yes" to one new question after the other is progress
        echo = len(said) > 1 and said == ours
        self._stale = self._stale + 1 if stale else 0
        self._repeated = self._repeated + 1 if echo or (stale and said in self._earlier) else 0
        self._earlier.add(said)
        self._known.update(said + ours)

    def noted(self) -> None:
        """The model found something worth noting: that is progress."""
        self._repeated = self._stale = 0

    @property
    def stuck(self) -> bool:
        return self._repeated >= self.policy.repeated_turns or self._stale >= self.policy.stale_turns
