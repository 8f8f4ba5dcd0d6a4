"""Render every fixed line of every persona: `python -m standins.personas.render` (needs flite).

The files let the personas speak with a real voice on machines without a synthesiser: headerless 8 kHz mu-law.
"""

import sys

from standins import speaker
from standins.phone_network.script import load_personas
from standins.phone_network.voices import RENDERED, rendered_path


def main() -> int:
    """Write what is missing and remove what no persona says any more; `--all` renders everything anew."""
    voices = speaker.available()
    if voices == (speaker.TONES,):
        sys.stderr.write("flite is not installed (Debian: apt install flite): nothing rendered\n")
        return 1
    wanted = {
        rendered_path(text, script.voice): (text, script.voice) for script in load_personas() for text in script.texts()
    }
    for path, (text, voice) in wanted.items():
        if voice in voices and voice != speaker.TONES and ("--all" in sys.argv or not path.exists()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(speaker.render(text, voice))
    for path in RENDERED.glob("*/*.ulaw"):
        if path not in wanted:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
