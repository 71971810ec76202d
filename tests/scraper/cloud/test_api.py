"""Questions to the API: what each answer means, and that nothing is asked more often than it may be."""

import pytest

from scraper.cloud.errors import CloudLaterError, CloudPlanError, CloudQuotaError, CloudRefusedError, GrantNeededError
from scraper.cloud.transport import MAX_BODY
from simulator.cloud.answers import answer_json
from simulator.web.messages import Response
from tests.cloud_examples import read_example
from tests.scraper.cloud.owner import NOW, SYSTEM, run_cloud

RGM = f"{SYSTEM}/rgm_stats"
HOUR = 3600


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """Opens a cloud and its reader."""
    return lambda **options: run_cloud(monkeypatch, tmp_path, **options)


async def test_an_answer_is_the_document(cloud):
    async with cloud() as owner:
        answer = await owner.parts.api.fetch(RGM, {"start_at": int(NOW) - HOUR, "end_at": int(NOW) - 10})
        assert answer.keys() == read_example("rgm_stats").keys()
        assert owner.parts.api.clock_offset_s == 0


async def test_the_key_and_the_token_never_stand_in_an_address(cloud):
    async with cloud() as owner:
        seen: list[str] = []
        answer = owner.sim.cloud.api.answer

        def look(request):
            seen.append(request.target)
            return answer(request)

        owner.sim.cloud.api.answer = look
        await owner.parts.api.fetch(RGM)
        assert seen == [f"/api/v4/{RGM}"]


async def test_a_token_that_is_refused_is_renewed_once(cloud):
    async with cloud() as owner:
        owner.sim.cloud.oauth._approvals[0].access.clear()
        assert await owner.parts.api.fetch(SYSTEM)
        assert owner.count_renewals() == 1
        assert [status for _, _, status in owner.sim.cloud.api.calls] == [401, 200]


async def test_an_endpoint_that_the_plan_lacks_costs_one_renewal_and_is_asked_again_after_a_day(cloud):
    async with cloud() as owner:
        owner.sim.faults.switch_on("api-plan-401", endpoint="rgm_stats")
        for _ in range(3):
            with pytest.raises(CloudPlanError, match="access controls") as caught:
                await owner.parts.api.fetch(RGM)
        assert caught.value.endpoint == "systems/{id}/rgm_stats"
        assert owner.count_renewals() == 1
        assert len(owner.sim.cloud.api.calls) == 2
        assert await owner.parts.api.fetch(SYSTEM)
        owner.sim.faults.switch_on("api-plan-401", endpoint="devices")
        with pytest.raises(CloudPlanError):
            await owner.parts.api.fetch(f"{SYSTEM}/devices")
        assert owner.count_renewals() == 1, "the token is fresh"
        owner.advance(25 * HOUR)
        assert await owner.parts.api.fetch(RGM)


async def test_keys_of_two_applications_need_a_person(cloud):
    async with cloud() as owner:
        owner.sim.faults.switch_on("api-key-mismatch")
        with pytest.raises(GrantNeededError, match="different applications"):
            await owner.parts.api.fetch(SYSTEM)
        assert owner.count_renewals() == 0


@pytest.mark.parametrize(
    ("switch", "status", "words"),
    [("api-403", 403, "approval was withdrawn"), ("api-404", 404, "cloud systems")],
)
async def test_a_refusal_has_status_code_and_remedy(cloud, switch, status, words):
    async with cloud() as owner:
        owner.sim.faults.switch_on(switch)
        with pytest.raises(CloudRefusedError, match=words) as caught:
            await owner.parts.api.fetch(SYSTEM)
        assert (caught.value.status, caught.value.code) == (status, status)


async def test_a_window_that_lies_ahead_is_refused_in_the_apis_words(cloud):
    async with cloud() as owner:
        with pytest.raises(CloudRefusedError, match="in the future") as caught:
            await owner.parts.api.fetch(RGM, {"end_at": int(NOW) + HOUR})
        assert (caught.value.status, caught.value.details) == (422, "Requested date is in the future")


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("api-html-200", "web page"),
        ("api-500-7", "status 500"),
        ("cloud-maintenance", "status 503"),
        ("cloud-refuse", "cannot be reached"),
    ],
)
async def test_what_passes_is_for_later_and_is_not_asked_again_at_once(cloud, switch, words):
    async with cloud() as owner:
        owner.sim.faults.switch_on(switch)
        with pytest.raises(CloudLaterError, match=words):
            await owner.parts.api.fetch(SYSTEM)
        assert owner.parts.budget.read_view().used == 1
        assert len(owner.sim.cloud.requests) <= 1
        owner.sim.faults.switch_off(switch)
        assert await owner.parts.api.fetch(SYSTEM)


@pytest.mark.parametrize(
    "body",
    [b'{"a": 1', b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff{}", b"[" * 50 + b"]" * 50, b"x" * (MAX_BODY + 1)],
    ids=["half", "twice", "nan", "bytes", "deep", "endless"],
)
async def test_a_reply_that_is_no_whole_document_is_discarded(cloud, body):
    async with cloud() as owner:
        owner.sim.cloud.api.answer = lambda _: Response(200, body)
        with pytest.raises(CloudLaterError, match="discarded"):
            await owner.parts.api.fetch(SYSTEM)
        assert [path for _, path, _ in owner.sim.cloud.requests] == [f"/api/v4/{SYSTEM}"]


async def test_the_api_says_that_the_minute_is_used_up(cloud):
    """No call before its end, and the limit is the API's from then on."""
    async with cloud(minute=60) as owner:
        for _ in range(10):
            await owner.parts.api.fetch(SYSTEM)
        with pytest.raises(CloudQuotaError) as caught:
            await owner.parts.api.fetch(SYSTEM)
        error = caught.value
        assert (error.period, error.limit, error.period_end_ms) == ("minute", 10, 1_781_517_660_000)
        assert 1_781_517_660_000 < (error.retry_at_ms or 0) < 1_781_517_670_000
        calls = len(owner.sim.cloud.api.calls)
        with pytest.raises(CloudQuotaError):
            await owner.parts.api.fetch(SYSTEM)
        assert len(owner.sim.cloud.api.calls) == calls == 11
        owner.advance(61)
        for _ in range(10):
            await owner.parts.api.fetch(SYSTEM)
        with pytest.raises(CloudQuotaError, match="own count"):
            await owner.parts.api.fetch(SYSTEM)
        assert owner.parts.budget.read_view().limits == (10, 1000)


async def test_refusals_that_say_nothing_stop_for_a_minute_and_then_for_the_month(cloud):
    async with cloud() as owner:
        owner.sim.faults.switch_on("api-429-bare")
        ends = []
        for _ in range(3):
            with pytest.raises(CloudQuotaError) as caught:
                await owner.parts.api.fetch(SYSTEM)
            ends.append(caught.value.period_end_ms - owner.clock.now_ms())
            owner.advance(61)
        assert ends[:2] == [60_000, 60_000]
        assert caught.value.period_end_ms == 1_782_864_000_000  # 2026-07-01
        calls = len(owner.sim.cloud.api.calls)
        owner.sim.faults.switch_off("api-429-bare")
        owner.advance(10 * 24 * HOUR)
        with pytest.raises(CloudQuotaError):
            await owner.parts.api.fetch(SYSTEM)
        assert len(owner.sim.cloud.api.calls) == calls == 3


async def test_an_answer_between_them_ends_the_row_of_refusals(cloud):
    async with cloud() as owner:
        for _ in range(4):
            owner.sim.faults.switch_on("api-429-bare", times=1)
            with pytest.raises(CloudQuotaError) as caught:
                await owner.parts.api.fetch(SYSTEM)
            assert caught.value.period_end_ms - owner.clock.now_ms() == 60_000
            owner.advance(61)
            assert await owner.parts.api.fetch(SYSTEM)


async def test_no_secret_stands_in_what_the_api_said(cloud, logs):
    """The API may repeat tokens, keys and addresses of people in its words."""
    async with cloud() as owner:
        secrets = owner.list_secrets()
        words = f"User {secrets[2]} with {secrets[3]} and {secrets[0]} is not welcome"
        body = {"message": "Forbidden", "details": words, "code": 403}
        owner.sim.cloud.api.answer = lambda _: answer_json(body, 403)
        with pytest.raises(CloudRefusedError, match=r"User \[secret\]") as caught:
            await owner.parts.api.fetch(SYSTEM)
        said = [str(caught.value), caught.value.details, repr(logs), repr(caught.value.__context__)]
        assert not [secret for secret in secrets for text in said if secret in text]
