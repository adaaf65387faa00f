"""What holds for every test."""

from hypothesis import HealthCheck, settings

# no timing assertions: a busy machine is no failure; and the same examples every time
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")
