"""Running the platform's processes together: web server, Celery worker, Celery beat, under one supervisor."""
