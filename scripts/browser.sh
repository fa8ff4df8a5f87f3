#!/bin/sh
# Finds a Chromium for the browser tests, or installs one: Debian's where apt has it, else Playwright's.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
playwright=${VENV:-.venv}/bin/playwright
if [ "$(id -u)" != 0 ]; then
    "$playwright" install chromium
    echo "If Chromium does not start, install its libraries: sudo $playwright install-deps chromium"
elif ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; }; then
    "$playwright" install --with-deps chromium
fi
