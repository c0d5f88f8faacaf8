"""Static files under hashed names, which browsers may keep for ever."""

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedWhenCollected(CompressedManifestStaticFilesStorage):
    """`collectstatic` writes hashed and compressed copies and their list; without that list (an embedded installation,
    development, tests) files have their own names and come straight from the source tree."""

    def url(self, name: str | None, force: bool = False) -> str:
        if not self.hashed_files:
            return StaticFilesStorage.url(self, name)
        return super().url(name, force)
