"""Plan and apply for push device registrations."""

__version__ = "0.1.0"
