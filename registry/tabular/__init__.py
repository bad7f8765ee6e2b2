"""Tables as the platform understands them: column types, canonical values, profiles. Pure code, no Django."""
