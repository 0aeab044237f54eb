"""PostgreSQL, Valkey and a supervisor for `make run` and the tests; nothing of it runs in production."""
