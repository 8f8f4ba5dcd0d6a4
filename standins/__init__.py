"""Local vendors: small servers that speak the vendors' own protocols over real sockets.

Nothing here imports the product, so that a misreading of a vendor's protocol on one side is not repeated on the other.
"""

import json
import os
import sys


class StartError(Exception):
    """A stand-in cannot start as it was asked to; the message says what to do. It then ends with status 1."""


def announce(name: str, port: int, **more: object) -> None:
    """Print the one line of JSON on standard output which says that stand-in *name* now listens on *port*.

    Extra fields (for example ``control_port``) follow. Call it once, when every socket is open: whoever
    started the stand-in waits for this line.
    """
    sys.stdout.write(json.dumps({"standin": name, "port": port, "pid": os.getpid(), **more}) + "\n")
    sys.stdout.flush()
