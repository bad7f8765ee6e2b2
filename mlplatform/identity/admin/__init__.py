"""Console pages of single sign-on."""

from mlplatform.identity.admin import mappings

__all__ = ["mappings"]
