"""Exception reporting keeps its promise for every series that a meter could send."""

from hypothesis import given
from hypothesis import strategies as st

from scraper.delta.bands import DEFAULT_BANDS, LOSSLESS, Bands, DeadBand, scale_bands
from scraper.delta.meters import MeterState, detect, flush
from shared.fields import HEARTBEAT_MS, KINDS
from shared.readings import FieldValue, Reading
from tests.scraper.delta.samples import interpolate, make_meter, merge

FIELDS = tuple(KINDS["meter"].fields)
VALUES = st.one_of(
    st.floats(-20_000, 20_000, allow_nan=False),
    st.integers(-30, 30).map(float),  # near each other: inside and at the edge of the bands
    st.sampled_from([0.0, -0.0, 5.0, 10.0, 100.0, 101.0, 102.0, 500.0, 505.0]),
)


@st.composite
def draw_series(draw: st.DrawFn, *, gappy: bool = False) -> list[Reading]:
    """Samples of one series, 0.2 to 40 s apart; if `gappy` fields come and go."""
    timestamp, samples = 1_700_000_000_000, []
    names = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True))
    for _ in range(draw(st.integers(1, 40))):
        timestamp += draw(st.sampled_from([200, 1_000, 1_000, 1_000, 5_000, 40_000]))
        present = [name for name in names if not gappy or draw(st.booleans())]
        fields: dict[str, FieldValue] = {name: draw(VALUES) for name in present}
        samples.append(Reading("meter", {"meter": "production", "phase": "a"}, timestamp, fields))
    return samples


def run(samples: list[Reading], bands: Bands = DEFAULT_BANDS) -> list[Reading]:
    """All that goes out for `samples`, with an orderly stop at the end."""
    state: MeterState | None = None
    out: list[Reading] = []
    for sample in samples:
        state, new = detect(state, sample, bands)
        out += new
    assert state is not None
    state, held = flush(state)
    assert flush(state)[1] == ()
    return [*out, *held]


def list_points(out: list[Reading], name: str) -> dict[int, float]:
    """The stored points of one field."""
    return {reading.timestamp: float(reading.fields[name]) for reading in out if name in reading.fields}


@given(draw_series())
def test_straight_lines_between_stored_points_stay_within_twice_the_band_of_every_sample(samples):
    out = run(samples)
    merge(out)
    for name in samples[0].fields:
        stored = list_points(out, name)
        for sample in samples:
            measured = float(sample.fields[name])
            last = stored[max(stamp for stamp in stored if stamp <= sample.timestamp)]
            earlier = [stamp for stamp in stored if stamp < sample.timestamp]
            band = max(
                DEFAULT_BANDS[name].compute_width(last),
                DEFAULT_BANDS[name].compute_width(stored[max(earlier, default=min(stored))]),
            )
            assert abs(interpolate(stored, sample.timestamp) - measured) <= 2 * band * (1 + 1e-9) + 1e-9


@given(draw_series())
def test_without_a_dead_band_every_sample_is_reproduced_exactly(samples):
    out = run(samples, LOSSLESS)
    for name in samples[0].fields:
        stored = list_points(out, name)
        assert all(interpolate(stored, sample.timestamp) == sample.fields[name] for sample in samples)


@given(draw_series(gappy=True))
def test_no_identity_carries_two_values_of_one_field_and_every_value_was_measured(samples):
    measured = {sample.timestamp: sample.fields for sample in samples}
    for (_, timestamp), fields in merge(run(samples)).items():
        assert fields.items() <= measured[timestamp].items()


@given(draw_series(gappy=True))
def test_a_field_that_disappears_leaves_its_last_value_and_comes_back_at_once(samples):
    out = run(samples)
    for name in {name for sample in samples for name in sample.fields}:
        stored = list_points(out, name)
        present = [name in sample.fields for sample in samples]
        for index, sample in enumerate(samples):
            appears = present[index] and not (index and present[index - 1])
            disappears = present[index] and not (index + 1 < len(samples) and present[index + 1])
            if appears or disappears:
                assert stored[sample.timestamp] == sample.fields[name]


@given(draw_series())
def test_a_snapshot_is_the_first_sample_a_heartbeat_after_the_last_one(samples):
    state, last = None, None
    for sample in samples:
        state, new = detect(state, sample, DEFAULT_BANDS)
        due = last is None or sample.timestamp - last >= HEARTBEAT_MS
        if due:
            assert new[-1] == sample
            last = sample.timestamp
        assert state.snapshot_ms == last


def test_the_first_sample_without_power_goes_out_at_once():
    """Else the power before it stands for now until the next heartbeat."""
    samples = [
        make_meter(0, power=100.0, frequency=50.0),
        make_meter(1000, power=101.0, frequency=50.0),
        make_meter(2000, frequency=50.0),
        make_meter(3000, frequency=50.0),
        make_meter(4000, power=100.0, frequency=50.0),
    ]
    assert run(samples)[:4] == [samples[0], make_meter(1000, power=101.0), samples[2], make_meter(4000, power=100.0)]


def test_a_jump_sends_the_sample_before_it_along():
    """Else the line between the stored points would ramp over the whole quiet time."""
    samples = [
        make_meter(0, power=100.0),
        make_meter(1000, power=103.0),
        make_meter(2000, power=101.0),
        make_meter(3000, power=900.0),
    ]
    assert run(samples) == [samples[0], samples[2], samples[3]]


def test_only_what_crossed_is_sent():
    first = make_meter(0, power=100.0, voltage=230.0)
    state, _ = detect(None, first, DEFAULT_BANDS)
    state, quiet = detect(state, make_meter(1000, power=104.0, voltage=230.4), DEFAULT_BANDS)
    assert quiet == ()
    state, new = detect(state, make_meter(2000, power=200.0, voltage=230.4), DEFAULT_BANDS)
    assert new == (make_meter(1000, power=104.0), make_meter(2000, power=200.0))
    _, held = flush(state)
    assert held == (make_meter(2000, voltage=230.4),), "the rest of an identity that is stored in part"


def test_an_exact_repeat_is_dropped_and_a_change_of_any_size_is_not():
    samples = [make_meter(0, power=1.0), make_meter(1000, power=1.0), make_meter(2000, power=1.0000001)]
    state, _ = detect(None, samples[0], LOSSLESS)
    state, repeat = detect(state, samples[1], LOSSLESS)
    assert repeat == ()
    assert detect(state, samples[2], LOSSLESS)[1] == (samples[1], samples[2])


def test_a_sample_that_is_not_later_is_dropped():
    """Its identity is taken, or a later one is: nothing is overwritten."""
    state, _ = detect(None, make_meter(5000, power=1.0), DEFAULT_BANDS)
    for stamp in (5000, 4000):
        assert detect(state, make_meter(stamp, power=900.0), DEFAULT_BANDS) == (state, ())


def test_the_band_is_the_wider_of_both():
    assert DeadBand(5, 0.01).compute_width(-2000) == 20
    assert DeadBand(5, 0.01).compute_width(100) == 5


def test_every_meter_field_has_a_band():
    assert set(DEFAULT_BANDS) == set(LOSSLESS) == set(FIELDS)


def test_bands_scale():
    assert scale_bands(2)["power"] == DeadBand(10, 0.02)
    assert scale_bands(0) == LOSSLESS
    assert scale_bands(1) == DEFAULT_BANDS


def test_a_field_without_a_band_is_stored_on_any_change():
    state, _ = detect(None, make_meter(0, power=1.0), {})
    assert detect(state, make_meter(1000, power=1.5), {})[1] == (make_meter(1000, power=1.5),)
