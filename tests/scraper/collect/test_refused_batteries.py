"""Batteries that a login may not ask, of a simulated gateway over real sockets."""

from tests.scraper.collect.ensemble_home import find_one, open_home


async def test_batteries_that_this_login_may_not_ask_are_known_to_be_there(tmp_path):
    """Else what the house uses would be counted without them. The page that tells it is slow, and seldom asked."""
    async with open_home(tmp_path) as home:
        home.sim.faults.switch_on("unauthorised", path="/ivp/ensemble/")
        before = home.count("/home")
        for _ in range(30):
            rows = await home.poll()
            assert find_one(rows, "storage").fields == {"batteries": 3.0, "measured": 0.0}
        assert home.count("/home") == before + 1


async def test_of_a_house_without_batteries_nothing_is_said_where_they_may_not_be_asked(tmp_path):
    async with open_home(tmp_path, "firmware-8") as home:
        home.sim.faults.switch_on("unauthorised", path="/ivp/ensemble/")
        assert [await home.poll() for _ in range(3)] == [[], [], []]
