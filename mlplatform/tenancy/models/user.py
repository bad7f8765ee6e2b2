"""A person who signs in to the console."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **extra: object) -> "User":
        """Create a person; without a password none can be used until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: object) -> "User":
        """Create a platform administrator."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find the account by e-mail, whatever its letter case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """An account; what it may do in a tenant stands in its memberships."""

    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField("may sign in", default=True, help_text="May open the console.")
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting an account.")
    session_round = models.PositiveIntegerField(
        default=0, editable=False, help_text="Counting it up ends every session of the account."
    )
    date_joined = models.DateTimeField(auto_now_add=True)

    # Rights come from memberships alone: Django's groups and permission rows do not exist here.
    groups = None  # type: ignore[assignment]  # removes the mixin's field
    user_permissions = None  # type: ignore[assignment]

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must know to go on: it changes with the password and the session round."""
        known = f"{self.password}:{self.session_round}"
        return salted_hmac("mlplatform.session", known, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        """Return the name to greet the person by."""
        return self.name or self.email

    get_short_name = get_full_name
