"""Background jobs that survive the process that started them. Nothing here knows what a job does.

process   processes that outlive their parent, recognized after a restart
status    the status of a job: how it is written and read
job       a folder per job: request, status, lock, log; start, stop, resume, delete
"""
