"""Open the app in the browser.

    fer-studio app
    fer-studio app --server.port 8600 --server.headless true

All options of `streamlit run` are accepted. Only this machine can reach the app unless you set --server.address.
"""

import importlib
import threading
from collections.abc import Sequence

from fer.home import APP_FILE, app_folder

SOON_NEEDED = ("fer.datasets.drawing", "fer.reports.rendering", "fer.evaluation.report", "fer.recognition.recognizer")
"""What the home page and the photo page import; loaded while the browser opens."""


def main(arguments: Sequence[str] = ()) -> int:
    """Serve the app until it is stopped."""
    from streamlit.web import cli

    if {"-h", "--help"} & set(arguments):
        print(__doc__)
    threading.Thread(target=lambda: [importlib.import_module(name) for name in SOON_NEEDED], daemon=True).start()
    # Its settings are in .streamlit beside the entry script, where Streamlit finds them from any working folder.
    cli.main(["run", str(app_folder() / APP_FILE), "--server.headless", "false", *arguments], prog_name="streamlit")
    return 0
