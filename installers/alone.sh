#!/usr/bin/env bash
# Install plugins alone: each into a fresh environment with a plain napari, and run its tests there.
#
#   installers/alone.sh              # all of them, one after the other
#   installers/alone.sh filter io    # some
#
# An environment takes some minutes and 2 GB, and goes when its tests have ended.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
names=("$@")
if [ "${#names[@]}" = 0 ]; then
    for folder in plugins/napari-alsct-*; do
        names+=("${folder##*-}")
    done
fi

here="$PWD"
for name in "${names[@]}"; do
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    # The tested versions, but of nothing more than this plugin asks for.
    grep -E '^[A-Za-z0-9._-]+==' requirements.lock | sed 's/ *\\$//' >"$folder/constraints.txt"
    "$python" -m venv "$folder/environment"
    pip=("$folder/environment/bin/python" -m pip install --quiet --disable-pip-version-check
        --constraint "$folder/constraints.txt")
    "${pip[@]}" "$here" "$here/plugins/napari-alsct-$name" napari PySide6_Essentials
    "${pip[@]}" hypothesis psutil pytest pytest-qt pytest-timeout
    # Only what is installed can be imported: the tests lie elsewhere, without the program.
    cp -r tests pyproject.toml "$folder/"
    echo "napari-alsct-$name beside napari $("$folder/environment/bin/python" -c 'import napari; print(napari.__version__)'):"
    (cd "$folder" && environment/bin/python -m pytest -q "tests/plugins/$name")
    rm -rf "$folder"
    trap - EXIT
done
