"""The Grafana files of this project: written by `python -m grafana`, checked in, and provisioned as they are."""
