"""REST endpoints of tenancy."""
