#!/usr/bin/env bash
# Put into .venv what some tests want and nobody must have: PyTorch and svmbir. What cannot be
# installed is told, and its tests are skipped. Never fails; `make environment` comes first.
set -uo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
versions="$(mktemp)"
trap 'rm -f "$versions"' EXIT
# Nothing that the lock holds may change.
sed -e '/--hash=/d' -e 's/ *\\$//' requirements.lock > "$versions"

install() {
    "$python" -m pip install --quiet --disable-pip-version-check --constraint "$versions" "$1" ||
        echo "$1 cannot be installed: its tests are skipped"
}

# A build for graphics cards would bring gigabytes: taken only where pip finds one for processors.
is_for_processors() {
    "$python" -m pip install --dry-run --quiet --disable-pip-version-check --report - "$1" |
        "$python" -c '
import json, sys
names = [item["metadata"]["name"] for item in json.load(sys.stdin)["install"]]
sys.exit(any(name.startswith(("nvidia", "cuda", "triton")) for name in names))'
}

if "$python" -c 'import torch' 2>/dev/null; then
    :
elif is_for_processors torch==2.13.0; then
    install torch==2.13.0
else
    echo "There is no PyTorch for processors alone: its tests are skipped"
fi
"$python" -c 'import svmbir' 2>/dev/null || install svmbir==0.5.0
