#!/bin/sh
# Builds the wheel, installs it with its extras (EXTRAS, all by default) into an empty environment, and uses it elsewhere.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$place"' EXIT
cd "$place"
git -C "$source" archive HEAD | tar -x --one-top-level=checkout # what is committed, and nothing that lies beside it
"${PYTHON:-python3}" -m pip wheel --quiet --no-deps --wheel-dir wheels ./checkout
"${PYTHON:-python3}" -m venv environment
PATH=$place/environment/bin:$PATH
rm -r checkout
pip install --quiet "$(ls wheels/*.whl)[${EXTRAS:-all}]"
du -shL wheels environment

export FER_HOME="$place/home"
sample=$(python -c 'from fer.home import app_folder; print(next(app_folder().glob("pages/parts/*.jpg")))')
fer-studio predict --image "$sample" | tee faces.txt
grep -q "face 1  happiness" faces.txt

port=${PORT:-8599}
fer-studio app --server.headless true --server.port "$port" &
server=$!
for second in $(seq 60); do
    sleep 1
    if [ "$(python -c "import urllib.request as web; print(web.urlopen('http://127.0.0.1:$port/_stcore/health').read())" \
        2>/dev/null)" = "b'ok'" ]; then
        echo "The app answered after $second s."
        exit 0
    fi
done
echo "The app did not answer."
exit 1
