"""When the scraper reads which endpoint of the gateway, and how answers become committed rows."""
