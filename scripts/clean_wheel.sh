#!/bin/sh
# Builds the wheel, installs it into an empty environment, and uses it elsewhere. EXTRAS is what comes with it: all by
# default, core for the plain wheel; without all or app in it there are no pages to open.
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
extras=${EXTRAS:-all}
case $extras in core) asked= ;; *) asked="[$extras]" ;; esac
pip install --quiet "$(ls wheels/*.whl)$asked"
du -shL wheels environment

export FER_HOME="$place/home"
sample=$(python -c 'from fer.home import app_folder; print(next(app_folder().glob("pages/parts/*.jpg")))')
fer-studio predict --image "$sample" | tee faces.txt
grep -q "face 1  happiness" faces.txt
case $extras in *all* | *app*) ;; *) exit 0 ;; esac

python - <<'EOF'
import sys
from streamlit.testing.v1 import AppTest
from fer.home import APP_FILE, app_folder
sys.path.insert(0, str(app_folder()))  # as Streamlit does
app = AppTest.from_file(str(app_folder() / APP_FILE), default_timeout=120).run()
for page in sorted({*app_folder().glob("pages/*.py")} - {app_folder() / "pages/webcam.py"}):  # that needs a browser
    app.switch_page(f"pages/{page.name}").run()
    assert not app.exception, (page.name, app.exception)
    print("page", page.stem)
EOF

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
