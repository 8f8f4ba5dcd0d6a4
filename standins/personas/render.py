"""Render every fixed line of every persona: `python -m standins.personas.render` (needs flite).

The files let the personas speak with a real voice on machines without a synthesiser: headerless 8 kHz mu-law. What is
missing is written; what no persona says any more is removed. After a change of voice delete the files first.
"""

import sys

from standins import speaker
from standins.phone_network.script import RENDERED, load_personas, rendered_path

if __name__ == "__main__":
    if speaker.available() == (speaker.TONES,):
        sys.exit("flite is not installed (Debian: apt install flite): nothing rendered")
    wanted = {
        rendered_path(text, script.voice): (text, script.voice) for script in load_personas() for text in script.texts()
    }
    for path in RENDERED.glob("*/*.ulaw"):
        if path not in wanted:
            path.unlink()
    for path, (text, voice) in wanted.items():
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(speaker.render(text, voice))
