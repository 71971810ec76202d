"""One command on a laptop: the receiver, the scraper and, for the demo, a simulated gateway, with a live view.

The parts run as processes of their own, as they would on machines of their own; this package only starts them,
watches them and shows what the receiver's API and the status ports say.
"""
