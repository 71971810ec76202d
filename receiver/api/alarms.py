"""The alarms of a gateway, and those of the receiver itself."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from receiver.alarms.service import Alarms
from receiver.api import answers
from receiver.api.alarm_answers import AlarmEntry, describe_alarm
from receiver.api.parameters import NOT_MODIFIED, FormatAsked
from receiver.api.questions import AskedOfGateway

_COLUMNS = tuple(name for name in AlarmEntry.__annotations__ if name != "values")


class AlarmRoutes:
    """The route `/api/v1/gateways/{serial}/alarms`.

    Args:
        alarms: What stands where.
    """

    def __init__(self, *, alarms: Alarms) -> None:
        self._alarms = alarms

    def make_router(self) -> APIRouter:
        """The route."""
        router = APIRouter(prefix="/api/v1/gateways/{serial}/alarms", tags=["gateways"], redirect_slashes=False)
        router.add_api_route(
            "",
            self.list_alarms,
            summary="The alarms of a gateway",
            response_model=list[AlarmEntry],
            responses={200: {"content": answers.TABLE_CONTENT}, 304: NOT_MODIFIED},
        )
        return router

    async def list_alarms(self, question: AskedOfGateway, asked: FormatAsked, request: Request) -> Response:
        """What fires first, then what is pending, then what ended in the last seven days.

        Alarms of the receiver itself (its disk) stand in the list of every gateway: they concern its readings.
        """
        found = (describe_alarm(key, state) for key, state in self._alarms.list_of_gateway(question.serial))
        entries = [entry for entry in found if entry is not None]
        as_csv = answers.should_send_csv(request, asked.format)
        rows = [_drop_values(entry) for entry in entries] if as_csv else entries
        return answers.make_latest_table(request, rows, as_csv=as_csv, columns=_COLUMNS, zone=question.zone)


def _drop_values(entry: AlarmEntry) -> dict[str, object]:
    """An alarm as one line of a table: its values stand in the reason."""
    return {name: value for name, value in entry.items() if name in _COLUMNS}
