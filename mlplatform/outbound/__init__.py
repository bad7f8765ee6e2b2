"""The one way out: every address that a tenant names is looked up, judged and connected to here."""
