"""Many photos at once: choose, watch, look at the table, take it along."""

from fer.collection.job import KIND
from pages.parts.folder_job import show_job
from pages.parts.folder_new import new_job
from pages.parts.jobs import job_looked_at
from pages.parts.models import choose_model
from pages.parts.navigation import begin_page

begin_page("pages/folder.py", "Many photos")
if seen := job_looked_at(KIND):
    show_job(seen)
else:
    choose_model()
    new_job()
