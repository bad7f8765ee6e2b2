"""The WSGI application that the web server runs."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from mlplatform.whole_answers import whole_answers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlplatform.settings")
NEW_OBJECTS = 50_000  # after which the garbage collector looks at the young ones; Python's own is 700

application = whole_answers(get_wsgi_application())
application = import_string(settings.BEFORE_DJANGO)(application)
import_module("mlplatform.tenancy.guard").refuse_gaps()  # importable once the application is set up
import_module(settings.ROOT_URLCONF)  # with all pages, for which no request is to wait
# What is imported stays: without this it would be walked over again and again while somebody waits.
gc.collect()
gc.freeze()
gc.set_threshold(NEW_OBJECTS, 20, 100)
