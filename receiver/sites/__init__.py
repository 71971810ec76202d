"""What the owner says about each gateway, beside what the gateway says of itself: the sites file."""

from receiver.sites.file import SitesFile
from receiver.sites.model import NO_SITE, NO_SITES, Site, Sites
from receiver.sites.zones import LocatedSites, find_machine_zone

__all__ = ["NO_SITE", "NO_SITES", "LocatedSites", "Site", "Sites", "SitesFile", "find_machine_zone"]
