"""Gunicorn's settings; it reads this file by itself where it is started. Its command line wins over it.

A thread keeps one connection to the database, so `WEB_CONCURRENCY` (gunicorn's own variable) times `threads` is what a
machine takes of PostgreSQL's. Anything here can be changed by `GUNICORN_CMD_ARGS`, too.
"""

import logging.config
import os

from gunicorn.config import Config
from gunicorn.glogging import Logger

from aegisnotify.settings import LOGGING

wsgi_app = "aegisnotify.wsgi"
bind = "127.0.0.1:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# A page that took longer has lost its reader. Slack of a second stops all of them from being renewed at once.
timeout = 30
graceful_timeout = 20
max_requests = 20_000
max_requests_jitter = 2_000
keepalive = 5
# Newer versions listen on a control socket in the home directory, which two servers would fight over.
control_socket_disable = True
# The heartbeat files of its processes: on a disk that is busy they would be taken for dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
# Paths of signed links are as good as passwords: no access log. What failed is in the application's log, redacted.
accesslog = None


class logger_class(Logger):
    """Its own lines, tracebacks of requests among them, go through the application's formatters. (`logconfig_dict`
    would do that too, and switch on the access log.)"""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        logging.config.dictConfig(LOGGING)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
