"""Many photos at once: choose them, watch the progress, look through the faces, export them."""

from fer.collection.job import KIND
from pages.parts.folder_job import show_job
from pages.parts.folder_new import new_job
from pages.parts.kept_jobs import job_looked_at
from pages.parts.models import choose_model
from pages.parts.navigation import begin_page
from pages.parts.result_actions import show_undo
from pages.parts.results import result_store
from pages.parts.session import errors_shown
from pages.parts.visitor import owner

begin_page("pages/folder.py", "Many photos")
with errors_shown():
    seen, result = job_looked_at(KIND)
    if seen:
        show_job(seen, result)
    else:
        choose_model()
        new_job()
    show_undo(result_store(), owner())
