"""What only people do over the API: members, invitations and tokens.

A token does none of it: one that leaked could otherwise make others, and members of whoever holds it.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegisnotify.api.pagination import paginate
from aegisnotify.api.schema import PAGE_PARAMETERS, errors, page_of
from aegisnotify.api.serializers import StrictCharField, StrictSerializer
from projects import selectors
from projects.access import Right, can, refusal
from projects.api.views import WorkspaceView
from projects.errors import Forbidden, NotFound
from projects.models import ApiToken, Invitation, Membership
from projects.models.invitations import OFFERED_ROLES
from projects.scopes import Scope
from projects.services import invitations, members, tokens

SIGNED_IN = "Only for people who are signed in, as owner or admin: a token is refused."
_ROLES = f"One of {', '.join(OFFERED_ROLES)}."


class PeopleView(WorkspaceView):
    """A view for signed-in people with the right `right`, which their methods ask for whatever their scope.

    A token may know that there are such lists, and of nobody who is in them.
    """

    right: ClassVar[Right] = Right.MANAGE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        membership = self.principal.membership
        if membership is None and kwargs:
            raise NotFound("There is nothing here for a token: only people who are signed in can do this.")
        if membership is None:
            raise Forbidden("Only a person who is signed in can do this, not a token.")
        if not can(membership.role, self.right):
            raise Forbidden(refusal(self.right))


# --- Members


class MemberSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.CharField()
    verified = serializers.BooleanField(help_text="Whether the address is confirmed.")
    joined_at = serializers.DateTimeField()


class RoleSerializer(StrictSerializer):
    role = StrictCharField(help_text=f"{_ROLES} Ownership is handed over on its page, with a password.")


class MembersView(PeopleView):
    scopes = {"GET": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="members_list",
        summary="List the members",
        description=SIGNED_IN,
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(MemberSerializer), **errors(400)},
    )
    def get(self, request: Request) -> Response:
        found = selectors.members_of(self.principal.workspace)
        return Response(paginate(request.query_params, found, present_member))


class MemberView(PeopleView):
    scopes = {"PATCH": Scope.SETTINGS_READ, "DELETE": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="members_change",
        summary="Give a member another role",
        description=SIGNED_IN,
        request=RoleSerializer,
        responses={200: MemberSerializer, **errors(400, 404, 409, 413)},
    )
    def patch(self, request: Request, member_id: int) -> Response:
        member = self._member(member_id)
        body = RoleSerializer.read(request.data)
        return Response(present_member(members.change_role(self.principal.actor, member, body["role"])))

    @extend_schema(
        operation_id="members_remove",
        summary="Remove a member",
        description=SIGNED_IN,
        responses={204: None, **errors(404, 409)},
    )
    def delete(self, request: Request, member_id: int) -> Response:
        members.remove_member(self.principal.actor, self._member(member_id))
        return Response(status=204)

    def _member(self, member_id: int) -> Membership:
        member = selectors.members_of(self.principal.workspace).filter(pk=member_id).first()
        if member is None:
            raise NotFound("There is no such member.")
        return member


def present_member(member: Membership) -> dict[str, Any]:
    return {
        "id": member.pk,
        "email": member.user.email,
        "name": member.user.name,
        "role": member.role,
        "verified": member.user.email_verified_at is not None,
        "joined_at": member.created_at,
    }


# --- Invitations


class InvitationSerializer(serializers.Serializer):
    """Its link goes to the invited address alone, works once, and for 7 days."""

    id = serializers.IntegerField()
    email = serializers.EmailField()
    role = serializers.CharField()
    sent_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class InviteSerializer(StrictSerializer):
    email = StrictCharField()
    role = StrictCharField(help_text=_ROLES)


class InvitationsView(PeopleView):
    scopes = {"GET": Scope.SETTINGS_READ, "POST": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="invitations_list",
        summary="List the invitations that wait",
        description=f"Expired ones too: they can be sent again. {SIGNED_IN}",
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(InvitationSerializer), **errors(400)},
    )
    def get(self, request: Request) -> Response:
        found = selectors.pending_invitations_of(self.principal.workspace)
        return Response(paginate(request.query_params, found, present_invitation))

    @extend_schema(
        operation_id="invitations_create",
        summary="Invite somebody",
        description=SIGNED_IN,
        request=InviteSerializer,
        responses={201: InvitationSerializer, **errors(400, 402, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        body = InviteSerializer.read(request.data)
        invited = invitations.invite(self.principal.actor, self.principal.workspace, **body)
        return Response(present_invitation(invited), status=201)


class InvitationView(PeopleView):
    scopes = {"DELETE": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="invitations_revoke",
        summary="Withdraw an invitation",
        description=SIGNED_IN,
        responses={204: None, **errors(404, 409)},
    )
    def delete(self, request: Request, invitation_id: int) -> Response:
        invitations.revoke(self.principal.actor, _invitation(self, invitation_id))
        return Response(status=204)


class InvitationAgainView(PeopleView):
    scopes = {"POST": Scope.SETTINGS_READ}

    @extend_schema(
        operation_id="invitations_send_again",
        summary="Send an invitation again",
        description=f"With a new link for 7 days; the earlier one stops working. {SIGNED_IN}",
        request=None,
        responses={200: InvitationSerializer, **errors(402, 404, 409)},
    )
    def post(self, request: Request, invitation_id: int) -> Response:
        found = _invitation(self, invitation_id)
        return Response(present_invitation(invitations.send_again(self.principal.actor, found)))


def present_invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "role": invitation.role,
        "sent_at": invitation.sent_at,
        "expires_at": invitation.expires_at,
    }


def _invitation(view: PeopleView, invitation_id: int) -> Invitation:
    waiting = selectors.pending_invitations_of(view.principal.workspace)
    found = waiting.select_related("workspace").filter(pk=invitation_id).first()
    if found is None:
        raise NotFound("There is no such invitation that waits.")
    return found


# --- Tokens


class TokenSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="The token's first characters, to recognise it by.")
    scopes = serializers.ListField(child=serializers.CharField())
    project = serializers.CharField(allow_null=True, help_text="The slug of the only project that it is for.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class MadeTokenSerializer(TokenSerializer):
    token = serializers.CharField(help_text="The token itself: in this answer, and nowhere else.")


class TokenWriteSerializer(StrictSerializer):
    name = StrictCharField()
    scopes = serializers.ListField(child=StrictCharField(), help_text=f"Of {', '.join(Scope)}.")
    project = StrictCharField(required=False, allow_null=True, help_text="Slug or id; left out, all projects.")


class TokensView(PeopleView):
    scopes = {"GET": Scope.SETTINGS_READ, "POST": Scope.SETTINGS_READ}
    right = Right.CONFIGURE

    @extend_schema(
        operation_id="tokens_list",
        summary="List the API tokens",
        description=SIGNED_IN,
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(TokenSerializer), **errors(400)},
    )
    def get(self, request: Request) -> Response:
        return Response(paginate(request.query_params, selectors.tokens_of(self.principal.workspace), present_token))

    @extend_schema(
        operation_id="tokens_create",
        summary="Make an API token",
        description=SIGNED_IN,
        request=TokenWriteSerializer,
        responses={201: MadeTokenSerializer, **errors(400, 404, 413)},
    )
    def post(self, request: Request) -> Response:
        body = TokenWriteSerializer.read(request.data)
        named = body.get("project")
        made, text = tokens.create_token(
            self.principal.actor,
            self.principal.workspace,
            name=body["name"],
            scopes=body["scopes"],
            project=None if named is None else self.principal.project(named),
        )
        return Response({**present_token(made), "token": text}, status=201)


class TokenView(PeopleView):
    scopes = {"DELETE": Scope.SETTINGS_READ}
    right = Right.CONFIGURE

    @extend_schema(
        operation_id="tokens_revoke",
        summary="Revoke an API token",
        description=SIGNED_IN,
        responses={204: None, **errors(404)},
    )
    def delete(self, request: Request, token_id: int) -> Response:
        found = selectors.tokens_of(self.principal.workspace).select_related("workspace").filter(pk=token_id).first()
        if found is None:
            raise NotFound("There is no such token.")
        tokens.revoke_token(self.principal.actor, found)
        return Response(status=204)


def present_token(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "hint": token.hint,
        "scopes": token.scopes,
        "project": token.project.slug if token.project else None,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
    }
