"""The version of the project: packaging, images and the scraper's own reading take it from here."""

VERSION = "0.1.0"
