"""The WSGI entry point: `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

from leadgen import cli
from leadgen.app import create_app

app = cli.register(create_app())
