"""The owner's grant: renewed in time, stored before use, ended by clear words alone, and never lost by what passes."""

import asyncio
import contextlib
import stat

import pytest

from scraper.cloud.errors import CloudLaterError, GrantNeededError
from scraper.cloud.grant import OwnerGrant
from scraper.cloud.oauth import hold_lock_beside
from scraper.cloud.token_endpoint import TokenEndpoint
from scraper.service.cloud_parts import make_cloud_parts
from tests.scraper.cloud.owner import NOW, SYSTEM, run_cloud

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """Opens a cloud and its reader."""
    return lambda **options: run_cloud(monkeypatch, tmp_path, **options)


async def test_a_token_that_is_good_is_given_without_a_call(cloud):
    async with cloud() as owner:
        grant = owner.read_grant()
        owner.advance(11 * HOUR)
        assert await owner.parts.keeper.get_access() == grant.access
        assert owner.count_renewals() == 0


async def test_a_pair_is_renewed_before_its_last_hour_and_lies_in_a_private_file(cloud):
    async with cloud() as owner:
        before = owner.read_grant()
        await owner.parts.keeper.get_access()
        owner.advance(23 * HOUR)
        access = await owner.parts.keeper.get_access()
        kept = owner.read_grant()
        assert kept.access == access != before.access
        assert kept.refresh != before.refresh
        assert kept.attempt_at is None
        assert stat.S_IMODE(owner.parts.grant_file.path.stat().st_mode) == 0o600
        assert owner.sim.cloud.oauth.find_owner(access) == "owner@example.com"


async def test_at_the_start_a_pair_older_than_twelve_hours_is_renewed(cloud):
    async with cloud() as owner:
        owner.advance(12 * HOUR + 1)
        await owner.parts.keeper.get_access()
        assert owner.count_renewals() == 1


PASSING = {
    "cloud-maintenance": {"status": 503},
    "cloud-busy": {"status": 429},
    "cloud-refuse": {},
    "api-cut": {},
}


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("mode", ["strict", "lenient"])
async def test_what_passes_never_costs_the_grant(cloud, name, mode):
    """Only a reply that is cut after the work was done can, and only where the old token is dead."""
    async with cloud() as owner:
        before = owner.read_grant()
        if mode == "lenient":
            owner.sim.faults.switch_on("oauth-lenient")
        owner.advance(25 * HOUR)
        owner.sim.faults.switch_on(name, **PASSING[name])
        for _ in range(3):
            with pytest.raises(CloudLaterError) as caught:
                await owner.parts.keeper.get_access()
            assert caught.value.retry_at_ms is not None
            kept = owner.read_grant()
            assert (kept.refresh, kept.ended) == (before.refresh, None)
            assert kept.attempt_at is not None
        assert owner.count_renewals() <= 1, "not before the delay is over"
        owner.sim.faults.switch_off(name)
        await owner.restart()
        if (name, mode) == ("api-cut", "strict"):
            with pytest.raises(GrantNeededError, match="cloud authorise"):
                await owner.parts.keeper.get_access()
        else:
            assert owner.sim.cloud.oauth.find_owner(await owner.parts.keeper.get_access())
            assert owner.read_grant().attempt_at is None


async def test_while_the_old_token_is_good_a_failed_renewal_disturbs_nobody(cloud):
    async with cloud() as owner:
        before = owner.read_grant()
        await owner.parts.keeper.get_access()
        owner.advance(23 * HOUR + 1800)
        owner.sim.faults.switch_on("cloud-maintenance")
        assert await owner.parts.keeper.get_access() == before.access


async def test_another_program_ends_the_grant_with_two_calls_and_a_new_approval_heals_it(cloud):
    """A restart does not ask again; the new approval works in the running process."""
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        owner.sim.faults.switch_on("oauth-second-refresher")
        for _ in range(3):
            with pytest.raises(GrantNeededError, match="another program"):
                await owner.parts.keeper.get_access()
        await owner.restart()
        with pytest.raises(GrantNeededError, match="another program"):
            await owner.parts.api.fetch(SYSTEM)
        assert owner.count_renewals() == 2
        assert owner.sim.cloud.api.calls == []
        owner.approve()
        assert await owner.parts.api.fetch(SYSTEM)


async def test_wrong_keys_are_said_once_and_end_no_grant(cloud):
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        owner.sim.faults.switch_on("oauth-wrong-client")
        for _ in range(3):
            with pytest.raises(GrantNeededError, match="ENVOY_CLOUD_CLIENT_SECRET"):
                await owner.parts.keeper.get_access()
        assert owner.count_renewals() == 1
        owner.sim.faults.switch_off("oauth-wrong-client")
        await owner.restart()
        assert await owner.parts.keeper.get_access()


async def test_a_new_approval_heals_keys_that_were_refused(cloud):
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        owner.sim.faults.switch_on("oauth-wrong-client")
        with pytest.raises(GrantNeededError, match="ENVOY_CLOUD_CLIENT_SECRET"):
            await owner.parts.keeper.get_access()
        owner.sim.faults.switch_off("oauth-wrong-client")
        assert owner.approve().access == await owner.parts.keeper.get_access()


async def test_no_approval_and_one_of_another_application_are_sentences(cloud):
    async with cloud(approved=False) as owner:
        with pytest.raises(GrantNeededError, match="not approved"):
            await owner.parts.keeper.get_access()
        grant = owner.approve()
        owner.parts.grant_file.save(
            OwnerGrant(access="a", refresh=grant.refresh, expires_at=2**40, obtained_at=0, client_id="another")
        )
        with pytest.raises(GrantNeededError, match="another application"):
            await owner.parts.keeper.get_access()
        owner.parts.grant_file.path.write_bytes(b"{half")
        with pytest.raises(GrantNeededError, match="not what this program wrote"):
            await owner.parts.keeper.get_access()
        owner.parts.grant_file.path.chmod(0o644)
        with pytest.raises(GrantNeededError, match="chmod 600"):
            await owner.parts.keeper.get_access()


async def test_two_processes_renew_once(cloud):
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        other = make_cloud_parts(owner.settings, owner.clock)
        tokens = await asyncio.gather(*(one.keeper.get_access() for one in (owner.parts, other, owner.parts, other)))
        await other.api.aclose()
        assert len(set(tokens)) == 1
        assert owner.count_renewals() == 1


async def test_a_renewal_waits_for_the_lock_of_another_process(cloud):
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        async with hold_lock_beside(owner.parts.grant_file.path):
            waiting = asyncio.create_task(owner.parts.keeper.get_access())
            await asyncio.sleep(0.3)
            assert owner.count_renewals() == 0
        await waiting
        assert owner.count_renewals() == 1


def refuse_one_new_pair(owner, monkeypatch):
    """The disk is full when the first new pair comes; which one that was."""
    save = owner.parts.grant_file.save
    refused: list[OwnerGrant] = []

    def save_later(grant):
        if grant.attempt_at is None and not refused:
            refused.append(grant)
            raise CloudLaterError("the disk is full")
        save(grant)

    monkeypatch.setattr(owner.parts.grant_file, "save", save_later)
    return refused


async def test_a_pair_that_the_disk_does_not_take_is_kept_until_it_does(cloud, monkeypatch):
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        refused = refuse_one_new_pair(owner, monkeypatch)
        with pytest.raises(CloudLaterError, match="the disk is full"):
            await owner.parts.keeper.get_access()
        assert await owner.parts.keeper.get_access() == refused[0].access == owner.read_grant().access
        assert owner.count_renewals() == 1


async def test_a_new_approval_counts_more_than_a_pair_that_the_disk_did_not_take(cloud, monkeypatch):
    async with cloud() as owner:
        owner.advance(25 * HOUR)
        refuse_one_new_pair(owner, monkeypatch)
        with pytest.raises(CloudLaterError, match="the disk is full"):
            await owner.parts.keeper.get_access()
        approved, used = owner.approve(), []
        renew = TokenEndpoint.renew

        async def note(self, application, refresh, now_s):
            used.append(refresh)
            return await renew(self, application, refresh, now_s)

        monkeypatch.setattr(TokenEndpoint, "renew", note)
        owner.advance(25 * HOUR)
        await owner.parts.keeper.get_access()
        assert used == [approved.refresh]


async def test_a_stop_in_the_middle_of_a_renewal_keeps_the_new_pair(cloud):
    async with cloud() as owner:
        before = owner.read_grant()
        owner.advance(25 * HOUR)
        asking = asyncio.create_task(owner.parts.keeper.get_access())
        while owner.read_grant().attempt_at is None:  # noqa: ASYNC110 (it lies in a file)
            await asyncio.sleep(0)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        assert owner.read_grant().refresh != before.refresh


async def test_a_grant_stays_alive_while_nothing_is_read_for_weeks(cloud):
    async with cloud() as owner:
        keeping = asyncio.create_task(owner.parts.keeper.maintain())
        async with asyncio.timeout(60):
            while owner.clock.device.now() < NOW + 45 * DAY:
                if owner.clock.device._waiting:
                    owner.advance(6 * HOUR)
                await asyncio.sleep(0.001)
        keeping.cancel()
        assert owner.sim.cloud.oauth.find_owner(await owner.parts.keeper.get_access())


async def test_from_day_twenty_a_line_says_when_the_grant_ends(cloud, logs):
    async with cloud() as owner:
        owner.sim.faults.switch_on("cloud-maintenance")
        for day in (19, 1, 0, 1):
            owner.advance(day * DAY)
            with pytest.raises(CloudLaterError):
                await owner.parts.keeper.get_access()
        lines = [line for line in logs if "could not be renewed" in line["event"]]
        assert [(line["days"], line["ends"]) for line in lines] == [(20, "2026-07-15"), (21, "2026-07-15")]


async def test_nothing_secret_stands_in_errors_logs_and_values(cloud, logs):
    """The endpoint repeats the refresh token in its refusals."""
    async with cloud() as owner:
        said = [repr(owner.read_grant()), repr(owner.settings)]
        owner.advance(25 * HOUR)
        secrets = owner.list_secrets()
        owner.sim.faults.switch_on("oauth-second-refresher")
        with pytest.raises(GrantNeededError) as caught:
            await owner.parts.keeper.get_access()
        said += [str(caught.value), repr(caught.value.__cause__), repr(caught.value.__context__), repr(logs)]
        assert not [secret for secret in secrets for text in said if secret in text]
