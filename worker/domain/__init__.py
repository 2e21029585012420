"""The rules of Evenhand. They are pure: they read no file, clock, database or network, and import,
apart from the standard library, only libraries that compute, such as email_validator."""
