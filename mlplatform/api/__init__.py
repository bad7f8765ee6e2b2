"""What every REST endpoint shares: authentication, rights, errors, pages, limits, schema."""
