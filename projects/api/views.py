"""What every view of a workspace's data starts from."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from aegisnotify.api.views import APIView
from projects.models import Project
from projects.principal import Principal
from projects.scopes import Scope


class WorkspaceView(APIView):
    """A view that needs a token or a member. `scopes` says what each method asks for; see `projects.permissions`."""

    scopes: ClassVar[Mapping[str, Scope]] = {}
    workspace_wide: ClassVar[Collection[str]] = ()

    @property
    def principal(self) -> Principal:
        principal = self.request.auth
        assert isinstance(principal, Principal)
        return principal

    def project(self) -> Project:
        """The project that the address names by `slug`: its slug or its id. Raises `NotFound`."""
        return self.principal.project(self.kwargs["slug"])
