"""The suite: real PostgreSQL, real Valkey, a real browser; fakes only at the wall."""
