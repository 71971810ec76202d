"""A ledger is kept whole, but for what there is no room for."""

from hypothesis import given
from hypothesis import strategies as st

from scraper.cloud.rules.ledger import LARGEST_DIGEST, IntervalLedger
from scraper.cloud.rules.packing import pack_ledger, unpack_ledger

STEP = 300
COMMITTED = st.dictionaries(
    st.integers(1, 60).map(lambda place: place * STEP),
    st.tuples(st.integers(0, 255), st.integers(1, LARGEST_DIGEST)),
    max_size=60,
)


@given(COMMITTED, st.integers(0, 100))
def test_what_is_kept_comes_back(committed, most):
    ledger = IntervalLedger(900, committed, ((0, 900),), ((300, 600),), 3)
    found = unpack_ledger(pack_ledger(ledger, STEP, most=most), STEP)
    oldest = max(committed, default=0) - most * STEP
    assert found == ledger._replace(committed={end: one for end, one in committed.items() if end > oldest})


def test_two_days_of_inverters_have_room():
    committed = {place * STEP: (0, place * 7919 % LARGEST_DIGEST + 1) for place in range(1, 577)}
    packed = pack_ledger(IntervalLedger(committed=committed), STEP, most=576)
    assert len(packed.digests) + len(packed.revisions) < 1_500
