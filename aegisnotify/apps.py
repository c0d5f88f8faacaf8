from django.apps import AppConfig


class AegisNotifyConfig(AppConfig):
    name = "aegisnotify"
    verbose_name = "Shared parts"

    def ready(self) -> None:
        from aegisnotify import checks, logs  # noqa: F401

        logs.install_hooks()
