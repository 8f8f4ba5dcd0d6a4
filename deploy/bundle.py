"""The functions as one zip, the same bytes for the same sources: `python -m deploy.bundle dist/functions.zip`.

Its root holds `main.py`, the packages and the hashed lock, as Cloud Functions wants them; the command line stays out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parent.parent
ENTRY = "functions/main.py"


def contents(root: Path = ROOT) -> dict[str, Path]:
    """What goes in, by its name in the zip."""
    found = {
        path.relative_to(root).as_posix(): path for top in ("floyd", "functions") for path in root.glob(f"{top}/**/*")
    }
    packages = {
        name: path
        for name, path in found.items()
        if path.is_file() and "__pycache__" not in name and not name.startswith("floyd/command/") and name != ENTRY
    }
    return packages | {"main.py": root / ENTRY, "requirements.txt": root / "requirements.txt"}


def write(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(target, "w") as bundle:
        for name, path in sorted(contents().items()):
            # The earliest time a zip can tell: with real ones every build would look like a change.
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, path.read_bytes(), ZIP_DEFLATED)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
