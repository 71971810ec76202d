"""Means and energy of series that were stored by exception. Pure: no I/O, no clock, no settings, no store.

Everything rests on one idea: a series is turned into *segments*, straight lines over stretches of time in which its
value is known (`interpolation`). What lies between segments is unknown, and nothing here ever fills it in: each
answer says which share of its window was known (its coverage). Windows are given by their boundaries in UTC
milliseconds, so a local day of 23 or 25 hours is a matter of the caller's boundaries only.

    points -> interpolation -> segments -> combine (sums of phases and meters)
                                        -> coverage, means, energy over windows
    counter points -> counters -> energy over windows
    all of it per meter and phase -> site, balance (load, import, export, battery, ratios)
    balance over fine windows -> totals over coarse ones

Every function runs in time linear in its points plus its windows.
"""
