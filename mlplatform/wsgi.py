"""The WSGI application that the web server runs."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlplatform.settings")

application = get_wsgi_application()
import_module("mlplatform.tenancy.guard").refuse_gaps()  # importable once the application is set up
