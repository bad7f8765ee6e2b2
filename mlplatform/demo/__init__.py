"""The demonstration: two tenants, real data, and a model's whole life through the public REST API."""
