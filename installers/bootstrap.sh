#!/usr/bin/env bash
# Make the environment in .venv: system libraries where that is allowed, locked dependencies,
# and this program and its plugins in editable form. Does nothing when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
lock=requirements.lock
stamp=.venv/.complete
plugins=(plugins/*/)
state="$(cat "$lock" pyproject.toml plugins/*/pyproject.toml installers/system-packages.txt "$0" | cksum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ]; then
    exit 0
fi

if ! "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed; '$python' is $("$python" -V 2>&1)." >&2
    echo "Install it, or name it: make PYTHON=/path/to/python3.11" >&2
    exit 1
fi

# System libraries. Only Debian's package manager is driven, and only as root.
if command -v dpkg-query >/dev/null; then
    missing=()
    while read -r package; do
        status="$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)"
        [ "$status" = "install ok installed" ] || missing+=("$package")
    done < <(grep -v '^#' installers/system-packages.txt)
    if [ "${#missing[@]}" -gt 0 ]; then
        if [ "$(id -u)" = 0 ]; then
            echo "Installing system libraries: ${missing[*]}"
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                "${missing[@]}" >/dev/null
        else
            echo "System libraries that the window needs are missing. As an administrator:"
            echo "    apt-get install ${missing[*]}"
            echo "Files, reconstruction and the command line work without them."
        fi
    fi
else
    echo "The window needs OpenGL, EGL, fontconfig, D-Bus and the XCB libraries of Qt 6;"
    echo "installers/system-packages.txt names them as Debian does."
fi

echo "Making the environment in .venv (a few minutes the first time)"
rm -f "$stamp"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
# The plugins need nothing that the lock does not hold. One after the other: pip takes one -e each.
for plugin in "${plugins[@]}"; do
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation -e "$plugin"
done
echo "$state" > "$stamp"
