"""The WSGI entry point: `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

import gc

from leadgen import cli
from leadgen.app import create_app

app = cli.register(create_app())

# What is loaded by now lives as long as the process: looking through it again and again for cycles was a fourth of the
# cost of a landing view. What requests leave behind is looked through rarely, and in larger heaps.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
