"""From settings to the parts that read Enphase's API: of the running scraper, of `check` and of the commands."""

import random
from typing import NamedTuple

from scraper.cloud.api import CloudApi
from scraper.cloud.budget import Budget
from scraper.cloud.counting import CallLimits
from scraper.cloud.errors import GrantNeededError
from scraper.cloud.grant import GrantFile
from scraper.cloud.oauth import GrantKeeper
from scraper.cloud.token_endpoint import Application, TokenEndpoint
from scraper.cloud.transport import ApiTransport
from scraper.errors import ScraperSettingError
from scraper.settings import CloudSettings, ScraperSettings
from scraper.settings.checks import find_missing_keys
from shared.clock import Clock


class CloudParts(NamedTuple):
    """Everything that one application needs.

    Attributes:
        api: Asked.
        keeper: Keeps the grant alive; its `maintain` is to run as long as the scraper does.
        budget: Counts calls.
        grant_file: Where the grant lies.
        endpoint: Asked for tokens.
    """

    api: CloudApi
    keeper: GrantKeeper
    budget: Budget
    grant_file: GrantFile
    endpoint: TokenEndpoint


def make_cloud_parts(settings: ScraperSettings, clock: Clock) -> CloudParts:
    """The parts. `api.aclose` closes the connection that they share.

    Raises ScraperSettingError, which names the keys of the application that are missing.
    """
    cloud = settings.cloud
    read_keys(cloud)
    rng = random.Random()
    transport = ApiTransport(cloud.api_url.rstrip("/"))
    endpoint = TokenEndpoint(transport)
    budget = Budget(settings.state_dir, CallLimits(cloud.minute, cloud.month), clock, rng)
    grant_file = GrantFile(settings.state_dir)

    def read_application() -> Application:
        try:
            return read_keys(cloud)
        except ScraperSettingError as error:  # a file of a secret may have changed while it runs
            raise GrantNeededError(str(error)) from None

    keeper = GrantKeeper(grant_file, endpoint, read_application, budget.count_token_call, clock, rng)
    return CloudParts(
        CloudApi(transport, keeper, budget, read_application, clock), keeper, budget, grant_file, endpoint
    )


def read_keys(cloud: CloudSettings) -> Application:
    """The application's keys as they are now. Raises ScraperSettingError, which names those that are missing."""
    if missing := list(find_missing_keys(cloud)):
        raise ScraperSettingError("\n".join(missing))
    values = {name: getattr(cloud, name)() for name in Application._fields}
    for name, value in values.items():
        if not value:
            raise ScraperSettingError(f"ENVOY_CLOUD_{name.upper()}_FILE holds nothing: write the key into it")
    return Application(**values)
