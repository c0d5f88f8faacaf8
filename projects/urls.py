"""Pages of people and workspaces."""

from django.urls import path

from projects.views import accounts, audit_log, joining, members, passwords, profile, signing_up, tokens, workspaces

urlpatterns = [
    path("login/", accounts.SignIn.as_view(), name="login"),
    path("logout/", accounts.SignOut.as_view(), name="logout"),
    path("signup/", signing_up.sign_up, name="signup"),
    path("verify-email/<str:token>/", signing_up.verify_email, name="verify_email"),
    path("change-email/<str:token>/", signing_up.change_email, name="email_change"),
    path("invitations/<str:token>/", joining.invitation, name="invitation"),
    path("password-reset/", passwords.forgotten, name="password_reset"),
    path("password-reset/sent/", passwords.sent, name="password_reset_done"),
    path("password-reset/<uidb64>/<token>/", passwords.ChooseNewPassword.as_view(), name="password_reset_confirm"),
    path("profile/", profile.profile, name="profile"),
    path("profile/email/", profile.change_email, name="profile_email"),
    path("profile/password/", profile.change_password, name="profile_password"),
    path("profile/verification/", signing_up.send_verification, name="profile_verification"),
    path("workspaces/new/", workspaces.new_workspace, name="new_workspace"),
    path("settings/workspace/", workspaces.workspace_settings, name="settings_workspace"),
    path("settings/workspace/hand-over/", workspaces.hand_over, name="workspace_hand_over"),
    path("settings/workspace/delete/", workspaces.delete_workspace, name="workspace_delete"),
    path("settings/workspace/leave/", workspaces.leave_workspace, name="workspace_leave"),
    path("settings/members/", members.members_page, name="settings_members"),
    path("settings/members/invite/", members.invite, name="member_invite"),
    path("settings/members/<int:member_id>/role/", members.member_role, name="member_role"),
    path("settings/members/<int:member_id>/remove/", members.member_remove, name="member_remove"),
    path("settings/members/invitations/<int:invitation_id>/again/", members.invitation_again, name="invitation_again"),
    path(
        "settings/members/invitations/<int:invitation_id>/revoke/", members.invitation_revoke, name="invitation_revoke"
    ),
    path("settings/tokens/", tokens.tokens_page, name="settings_tokens"),
    path("settings/tokens/<int:token_id>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("settings/audit/", audit_log.audit_page, name="settings_audit"),
    path("settings/audit/audit.csv", audit_log.audit_csv, name="audit_csv"),
]
