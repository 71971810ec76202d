"""Ready-made houses, one for each wiring that a gateway meets, and one with a battery."""

from simulator.house.profile import Battery, HouseProfile, RoofPanel, Shade

_TREE = Shade(from_azimuth_deg=85.0, to_azimuth_deg=135.0, below_elevation_deg=38.0)
_CHIMNEY = Shade(from_azimuth_deg=225.0, to_azimuth_deg=252.0, below_elevation_deg=50.0, blocked=0.6)


def _make_roof(
    first_serial: int,
    groups: tuple[tuple[int, float, float], ...],
    rated_w: float,
    inverter_w: float,
    phases: tuple[int | None, ...],
) -> tuple[RoofPanel, ...]:
    """Return panels in groups of (count, azimuth, tilt), spread over the phases one by one.

    Two panels stand behind a tree, one behind the chimney and one is worn: something for a dashboard to find.
    """
    faults: dict[int, tuple[Shade | None, float]] = {
        1: (_TREE, 1.0),
        2: (_TREE, 1.0),
        5: (_CHIMNEY, 1.0),
        8: (None, 0.7),
    }
    panels: list[RoofPanel] = []
    for count, azimuth_deg, tilt_deg in groups:
        for _ in range(count):
            index = len(panels)
            shade, health = faults.get(index, (None, 1.0))
            panels.append(
                RoofPanel(
                    serial=f"{first_serial + index:012d}",
                    azimuth_deg=azimuth_deg,
                    tilt_deg=tilt_deg,
                    rated_w=rated_w,
                    phase=phases[index % len(phases)],
                    shade=shade,
                    inverter_w=inverter_w,
                    health=health,
                )
            )
    return tuple(panels)


THREE_PHASE = HouseProfile(
    name="three-phase",
    latitude_deg=52.52,
    longitude_deg=13.40,
    time_zone="Europe/Berlin",
    phases="three",
    panels=_make_roof(122045000001, ((14, 190.0, 35.0), (10, 280.0, 35.0)), 410.0, 295.0, (0, 1, 2)),
    heat_pump_w=2400.0,
    ev_w=11_000.0,
)
"""24 panels on two roofs in Berlin, heat pump and car."""

SPLIT_PHASE = HouseProfile(
    name="split-phase",
    latitude_deg=39.74,
    longitude_deg=-104.99,
    time_zone="America/Denver",
    phases="split",
    panels=_make_roof(482231000001, ((12, 180.0, 27.0), (6, 270.0, 27.0)), 400.0, 366.0, (None,)),
    nominal_voltage_v=120.0,
    nominal_frequency_hz=60.0,
    mean_temperature_c=11.0,
    cloudiness=0.3,
    base_load_w=380.0,
    heat_pump_w=3100.0,
    ev_w=7200.0,
)
"""18 panels in Denver; the inverters sit across both legs."""

SINGLE_PHASE = HouseProfile(
    name="single-phase",
    latitude_deg=51.45,
    longitude_deg=-2.59,
    time_zone="Europe/London",
    phases="single",
    panels=_make_roof(121738000001, ((12, 165.0, 40.0),), 375.0, 290.0, (0,)),
    mean_temperature_c=10.5,
    cloudiness=0.55,
    base_load_w=180.0,
)
"""12 panels in Bristol."""

BATTERY = HouseProfile(
    name="battery",
    latitude_deg=-34.93,
    longitude_deg=138.60,
    time_zone="Australia/Adelaide",
    phases="three",
    panels=_make_roof(122203000001, ((12, 10.0, 22.0), (8, 280.0, 22.0)), 440.0, 349.0, (0, 1, 2)),
    battery=Battery(capacity_wh=10_080.0, max_power_w=3840.0),
    mean_temperature_c=17.0,
    cloudiness=0.3,
    base_load_w=260.0,
    heat_pump_w=1800.0,
)
"""20 panels and 10 kWh of battery in Adelaide, where summer is in January."""

PROFILES: dict[str, HouseProfile] = {
    profile.name: profile for profile in (THREE_PHASE, SPLIT_PHASE, SINGLE_PHASE, BATTERY)
}
"""Every ready-made house by its name."""
