"""Locking out whoever guesses: wrong passwords and codes are counted by account and address.

django-axes counts them in the database. It is told accounts as keyed hashes, since what was typed may be a
password in the wrong field, and addresses as the trusted proxies report them.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from mlplatform.tenancy.models import User
from mlplatform.tenancy.request_context import client_address

IPV6_HOME = 64  # bits: a household or a company has at least this network, and any address within


def account_key(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str:
    """Return the name under which attempts at an account are counted, whatever the letter case."""
    named = str((credentials or {}).get("email") or (credentials or {}).get("username") or "")
    return salted_hmac("mlplatform.lockout", named.strip().lower(), algorithm="sha256").hexdigest()


def counted_address(request: HttpRequest) -> str | None:
    """Return the address to count by; for IPv6 its network, since nobody has just one."""
    found = client_address(request)
    if found is None or ":" not in found:
        return found
    return str(ipaddress.ip_network(f"{found}/{IPV6_HOME}", strict=False).network_address)


def is_locked(request: HttpRequest, user: User) -> bool:
    """Tell whether the account is locked for the request's address."""
    return not AxesProxyHandler.is_allowed(request, {"email": user.email})


def locked_addresses(user: User) -> list[str]:
    """Return the addresses for which the account is locked now."""
    recent = AccessAttempt.objects.filter(
        username=account_key(None, {"email": user.email}),
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
    )
    counted = recent.order_by().values("ip_address").annotate(failures=Sum("failures_since_start"))
    full = counted.filter(failures__gte=settings.AXES_FAILURE_LIMIT)
    return sorted(str(row["ip_address"]) for row in full)


def forget_failures(user: User) -> int:
    """Forget the account's failures, from wherever they came; return how many records there were."""
    attempts = AccessAttempt.objects.filter(username=account_key(None, {"email": user.email}))
    forgotten: int = attempts.delete()[0]
    return forgotten
