"""The rules of Evenhand. They are pure: they read no file, no clock, no database and no network, and
import beside the standard library only libraries that compute, such as email_validator."""
