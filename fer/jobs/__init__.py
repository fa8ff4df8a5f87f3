"""Whatever runs in the background and survives whoever started it. Nothing here knows what runs.

process   processes that outlive their starter, known again after a restart
status    where a job stands: one way to write it, one way to read it
job       a folder for each job: request, status, lock, log; start, stop, continue, delete
"""
