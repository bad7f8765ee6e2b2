"""Addresses below /account/: signing in, and the person's own page about it.

The sign-in library has more pages; what is not listed here does not exist. Sign-up is not.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as openid
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from mlplatform.identity import views
from mlplatform.identity.pages import View, framed, freshly_proved
from mlplatform.identity.refusal import NOT_KNOWN, refused


def changing(view: View) -> View:
    """Guard a page that changes the person's second factors."""
    return fresh(views.changes_second_factors(view))


def fresh(view: View) -> View:
    """Guard a page for people who have just proved who they are."""
    return framed(freshly_proved(view))


def unknown(request: HttpRequest) -> HttpResponse:
    """Refuse where the library would have a sign-up completed by hand."""
    return refused(request, NOT_KNOWN)


signing_in = [
    path("login/", framed(account.login), name="account_login"),
    path("second-step/", framed(views.SecondStepView.as_view()), name="mfa_authenticate"),
    path("passkey/", framed(passkeys.login_webauthn), name="mfa_login_webauthn"),
]
confirming = [
    path("confirm/", framed(account.reauthenticate), name="account_reauthenticate"),
    path("confirm/code/", framed(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("confirm/passkey/", framed(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("confirm/sign-on/", framed(views.confirm_by_sign_on), name="confirm_by_sign_on"),
]
security = [
    path("", framed(login_required(views.security_page)), name="mfa_index"),
    path("app/", changing(totp.activate_totp), name="mfa_activate_totp"),
    path("app/remove/", changing(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("codes/", fresh(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("codes/new/", changing(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("passkeys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("passkeys/new/", changing(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/", changing(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    path("passkeys/<int:pk>/remove/", changing(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("sessions/end/", login_required(views.sign_out_elsewhere), name="sign_out_elsewhere"),
]
sign_on = [
    path("", fresh(transaction.atomic(social.connections)), name="socialaccount_connections"),
    path("cancelled/", framed(social.login_cancelled), name="socialaccount_login_cancelled"),
    path("unknown/", unknown, name="socialaccount_signup"),
    path("with/<slug:provider_id>/", views.leave_for(openid.login), name="openid_connect_login"),
    path("with/<slug:provider_id>/back/", views.reached(openid.callback), name="openid_connect_callback"),
]
urlpatterns = [
    *signing_in,
    *confirming,
    path("security/", include(security)),
    path("sign-on/", include(sign_on)),
]
