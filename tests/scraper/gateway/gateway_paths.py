"""Paths of the gateway that tests count."""

CHECK = "/auth/check_jwt"
JUDGE = "/api/v1/production/inverters"
