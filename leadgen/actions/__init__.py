"""Earning points by deeds: sharing, visiting, watching, quizzes, secret codes, daily bonuses, signed calls."""
