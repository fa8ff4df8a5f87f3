#!/bin/sh
# Finds a Chromium for the browser tests, or installs one: Debian's where apt can, else Playwright's.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends chromium fonts-dejavu-core
else
    "${VENV:-.venv}"/bin/playwright install chromium
fi
