"""What Floyd says in code's words, never a model's: the disclosure, the stock lines, and how their sound is filed."""

from __future__ import annotations

from hashlib import sha256

# Said before an opening that goes on where an earlier call stopped.
CALLING_BACK = "I called a little earlier, and now I have the answer."
NAMELESS = "a client"


def caller(name: str) -> str:
    """For whom Floyd calls, as the callee hears it."""
    return name.strip() or NAMELESS


def disclosure(name: str) -> tuple[str, str]:
    """The first words of every call, one entry per sentence. 47 CFR 64.1200(b) and several state laws want them so."""
    return (f"Hello, this is an AI assistant calling for {caller(name)}.", "This call is transcribed.")


def calling_back(opening: str) -> str:
    """The opening of a call that brings an answer."""
    return opening if opening.startswith(CALLING_BACK) else f"{CALLING_BACK} {opening}"


def speech_name(voice: str, text: str) -> str:
    """The name under which the sound of a line in a voice is kept: 40 hexadecimal digits."""
    return sha256(f"{voice}\0{text}".encode()).hexdigest()[:40]
