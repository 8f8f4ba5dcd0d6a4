"""Write schema.json: the arguments of the Google resources that infra/ uses, as the provider's 6.50.0 declares them.

    pip download --no-deps cdktf-cdktf-provider-google==16.12.1 cdktf-cdktf-provider-google-beta==16.12.1
    python -m tests.infra.schema *.whl

The packages are generated from the provider's own schema; each property's documentation link ends in its HCL name.
They do not tell sets from lists, nor which arguments exclude each other. Reading one takes 600 MB of memory.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent / "schema.json"
INFRA = Path(__file__).parents[2] / "infra"
SCALARS = {"string": "string", "number": "number", "boolean": "bool"}

Types = dict[str, Any]


def used(kind: str) -> set[str]:
    """The types of all `resource` or `data` blocks in infra/."""
    text = "\n".join(path.read_text() for path in INFRA.glob("*.tf"))
    return set(re.findall(rf'^{kind} "(\w+)"', text, re.MULTILINE))


def read(wheel: Path) -> Types:
    """The type assembly inside a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        (packed,) = (name for name in archive.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(packed))) as inner:
            member = inner.extractfile("package/.jsii")
            assert member is not None
            types: Types = json.load(member)["types"]
            return types


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


def shape(declared: dict[str, Any], types: Types) -> Any:
    """("attribute", Terraform type) or ("block", whether many, the struct's name); None for what is neither."""
    if "primitive" in declared:
        return ("attribute", SCALARS.get(declared["primitive"], "dynamic"))
    if "collection" in declared:
        inner = shape(declared["collection"]["elementtype"], types)
        if inner is None or inner[0] == "block":
            return inner and ("block", True, inner[2])
        return ("attribute", [{"array": "list", "map": "map"}[declared["collection"]["kind"]], inner[1]])
    if "union" in declared:
        return next((found for each in declared["union"]["types"] if (found := shape(each, types))), None)
    if declared["fqn"] == "cdktf.StringMap":
        return ("attribute", ["map", "string"])
    return ("block", False, declared["fqn"]) if types.get(declared["fqn"], {}).get("kind") == "interface" else None


def block(struct: str, seen_as: str, types: Types) -> dict[str, Any]:
    """`{"attributes": {name: [type, r|o|c]}, "blocks": {name: [many, required, block]}}`: required, optional, computed.

    `struct` holds what is given, `seen_as` what can be read.
    """
    attributes: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    given = set()
    for declared in types[struct].get("properties", []):
        link = re.search(r"#(\w+) ", json.dumps(declared.get("docs", {})))
        found = shape(declared["type"], types)
        given.add(declared["name"])
        if link is None or found is None:
            continue
        required = not declared.get("optional", False)
        if found[0] == "attribute":
            attributes[link[1]] = [found[1], "r" if required else "o"]
        else:
            blocks[link[1]] = [found[1], required, block(found[2], f"{found[2]}OutputReference", types)]
    for declared in types.get(seen_as, {}).get("properties", []):
        name, answer = declared["name"], shape(declared["type"], types)
        if not (declared.get("static") or name in given or name.endswith("Input")) and declared.get("immutable"):
            boolean = declared["type"].get("fqn") == "cdktf.IResolvable"
            if boolean or (answer and answer[0] == "attribute"):
                attributes.setdefault(snake(name), ["bool" if boolean else answer[1], "c"])
    return {"attributes": attributes, "blocks": blocks}


def main(wheels: list[str]) -> None:
    wanted = {kind: used(kind) for kind in ("resource", "data")}
    known: dict[str, dict[str, Any]] = {kind: {} for kind in wanted}
    for wheel in sorted(wheels):  # what the beta provider has as well is taken from the first
        types = read(Path(wheel))
        for struct, declared in types.items():
            if "cdktf.TerraformMetaArguments" not in declared.get("interfaces", []):
                continue
            page = re.search(
                r"/(resources|data-sources)/(?:google_)?(\w+)#", json.dumps(declared.get("properties", []))
            )
            kind, name = (
                ("data" if page[1] == "data-sources" else "resource", f"google_{page[2]}") if page else ("", "")
            )
            if page and name in wanted[kind] - known[kind].keys():
                known[kind][name] = block(struct, struct.removesuffix("Config"), types)
                known[kind][name]["attributes"]["id"] = ["string", "c"]
    missing = {name for kind, names in wanted.items() for name in names - known[kind].keys()}
    if missing:
        sys.exit(f"not in these packages: {', '.join(sorted(missing))}")
    SCHEMA.write_text(json.dumps(known, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
