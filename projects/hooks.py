"""What higher rooms add to what happens to people: they register here, since imports go one way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from projects.actors import Actor
from projects.models import Plan, Project, User, Workspace
from projects.usage import Meter


@dataclass(frozen=True, slots=True)
class Crossing:
    """Counting brought a workspace's usage of a month to a threshold (in per cent) of its plan's cap."""

    workspace_id: int
    meter: Meter
    period: date
    threshold: int
    cap: int


AddressLeft = Callable[[Actor, Workspace, str], Iterable[str]]
Unreachable = Callable[[Iterable[str]], set[str]]
WorkspaceClosing = Callable[[Actor, Workspace], None]
Seen = Callable[[User, Project | None], None]
UsageCrossed = Callable[[Crossing], None]


@dataclass(frozen=True, slots=True)
class Effect:
    """What another plan changes about one thing, in words. `worse`: less than now."""

    where: str
    what: str
    now: str
    then: str
    worse: bool


PlanEffects = Callable[[Workspace, Plan], Iterable[Effect]]

_on_address_left: list[AddressLeft] = []
_unreachable: list[Unreachable] = []
_on_workspace_closing: list[WorkspaceClosing] = []
_plan_effects: list[PlanEffects] = []
_on_seen: list[Seen] = []
_on_usage_crossed: list[UsageCrossed] = []


def on_address_left(hook: AddressLeft) -> AddressLeft:
    """Register what runs, in the same transaction, when an address stops being a member's.

    It returns the places that write to the address, in words: admins are told that they no longer do.
    """
    _on_address_left.append(hook)
    return hook


def unreachable(hook: Unreachable) -> Unreachable:
    """Register who knows which of some addresses take no mail from us."""
    _unreachable.append(hook)
    return hook


def on_workspace_closing(hook: WorkspaceClosing) -> WorkspaceClosing:
    """Register what runs, in the same transaction, when a workspace is closed. Its rows are deleted later."""
    _on_workspace_closing.append(hook)
    return hook


def plan_effects(hook: PlanEffects) -> PlanEffects:
    """Register who knows what another plan would change. Nothing may be changed by asking."""
    _plan_effects.append(hook)
    return hook


def on_seen(hook: Seen) -> Seen:
    """Register what runs when somebody does something in the pages or, signed in, in the API. It has to be quick."""
    _on_seen.append(hook)
    return hook


def on_usage_crossed(hook: UsageCrossed) -> UsageCrossed:
    """Register what runs, in the same transaction, when counting reaches a threshold of the plan's cap."""
    _on_usage_crossed.append(hook)
    return hook


def address_left(actor: Actor, workspace: Workspace, email: str) -> tuple[str, ...]:
    return tuple(place for hook in _on_address_left for place in hook(actor, workspace, email))


def unreachable_addresses(emails: Iterable[str]) -> set[str]:
    emails = set(emails)
    return set().union(*(hook(emails) for hook in _unreachable))


def workspace_closing(actor: Actor, workspace: Workspace) -> None:
    for hook in _on_workspace_closing:
        hook(actor, workspace)


def effects_of_plan(workspace: Workspace, plan: Plan) -> tuple[Effect, ...]:
    return tuple(effect for hook in _plan_effects for effect in hook(workspace, plan))


def seen(user: User, project: Project | None = None) -> None:
    """Somebody did something, with a project if one is given."""
    for hook in _on_seen:
        hook(user, project)


def usage_crossed(crossing: Crossing) -> None:
    for hook in _on_usage_crossed:
        hook(crossing)
