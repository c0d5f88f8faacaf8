"""On whose behalf a request of the API acts, and what it may."""

from dataclasses import dataclass

from django.db.models import QuerySet

from projects.access import can, refusal
from projects.actors import Actor
from projects.errors import Forbidden, NotFound
from projects.models import ApiToken, Membership, Project, Workspace
from projects.scopes import RIGHT_OF, Scope
from projects.selectors import find_project


@dataclass(frozen=True, slots=True)
class Principal:
    """A token or a signed-in member, in one workspace. `limited_to` is the only project it may know of; None is all."""

    workspace: Workspace
    actor: Actor
    token: ApiToken | None = None
    membership: Membership | None = None

    @property
    def limited_to(self) -> Project | None:
        return self.token.project if self.token else None

    @property
    def rate_key(self) -> str:
        """Whom requests are counted for."""
        if self.token:
            return f"token:{self.token.pk}"
        return f"member:{self.membership.pk}" if self.membership else "nobody"

    def allows(self, scope: Scope) -> bool:
        return self.refusal(scope) is None

    def refusal(self, scope: Scope) -> str | None:
        """None when `scope` is allowed, else the sentence for a 403."""
        if self.token:
            return None if scope in self.token.scopes else f"This token lacks the scope {scope}."
        right = RIGHT_OF[scope]
        if right is None:
            return "Only an API token can do this, not a person who is signed in."
        return None if self.membership and can(self.membership.role, right) else refusal(right)

    def require_whole_workspace(self) -> None:
        """Raises `Forbidden` for a token that is limited to a project: this concerns the others too."""
        if self.limited_to:
            raise Forbidden(f"This token is limited to the project “{self.limited_to.slug}”.")

    def projects(self) -> QuerySet[Project]:
        """The projects that exist for this principal."""
        found = self.workspace.projects.select_related("workspace__plan")
        return found.filter(pk=self.limited_to.pk) if self.limited_to else found

    def project(self, slug_or_id: str) -> Project:
        """Raises `NotFound`: for other workspaces' projects, too."""
        project = find_project(self.projects(), slug_or_id)
        if project is None:
            raise NotFound(f"There is no project “{slug_or_id[:100]}”.")
        return project
