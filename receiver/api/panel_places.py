"""The places and names of panels as their owner gives them: into the sites file, and out of what he pastes."""

import asyncio
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, with_config
from starlette.responses import Response
from typing_extensions import TypedDict

from receiver.api import answers
from receiver.api.inverter_answers import PanelData
from receiver.api.panel_descriptions import describe_panel_data
from receiver.api.parameters import WithoutParameters
from receiver.api.questions import AskedByOwner, AskedOfGateway, GatewayQuestion
from receiver.errors import RefusedError
from receiver.http.problems import CHANGE_REFUSALS
from receiver.ingest import body
from receiver.sites import LocatedSites
from receiver.sites.layouts import MAX_CHARACTERS, LayoutError, parse_layout
from receiver.sites.load import SitesFileError, find_rule
from receiver.sites.model import Name, Tag
from receiver.sites.writing import KEEPS_COMMENTS, SitesFileChangedError, SitesFileLockedError, SitesFileWriter
from receiver.strict_json import refuse_duplicates
from shared.problems import Problem

_log = structlog.get_logger()
_MOST = 5000
_Model = TypeVar("_Model", bound=BaseModel)


class PanelPlacePatch(BaseModel):
    """What shall be said of a panel. Null removes what is said; what is absent stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name | None = None
    array: Name | None = None
    row: int | None = Field(None, ge=1, le=1000)
    column: int | None = Field(None, ge=1, le=1000)
    azimuth: float | None = Field(None, ge=0, le=360, allow_inf_nan=False)
    tilt: float | None = Field(None, ge=0, le=90, allow_inf_nan=False)


class PanelPlacesPatch(BaseModel):
    """What shall be said of panels, by the serials of their inverters. Others stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(max_length=64, description="The `version` that was read before.")
    panels: dict[Tag, PanelPlacePatch] = Field(min_length=1, max_length=_MOST)


class PastedLayout(BaseModel):
    """Enlighten's array layout (JSON), or a table of serial, name, array, row, column, azimuth and tilt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(max_length=MAX_CHARACTERS)


@with_config(ConfigDict(extra="forbid"))
class PanelPlaces(TypedDict):
    """What the sites file says of the panels of a gateway, and whether the receiver can write into it."""

    panels: Annotated[dict[str, PanelData], Field(description="By the serial of the inverter.")]
    version: Annotated[str, Field(description="Names the content of the file: a change must name it, too.")]
    obstacle: Annotated[
        str | None, Field(description="Why the file cannot be written, and what to do; null if it can be.")
    ]
    keeps_comments: Annotated[bool, Field(description="Whether comments of the file stay when it is written.")]


@with_config(ConfigDict(extra="forbid"))
class LayoutPanels(TypedDict):
    """What a pasted layout says of panels. Nothing of it is written yet."""

    panels: Annotated[dict[str, PanelData], Field(description="By the serial of the inverter.")]


def _describe_body(model: type[BaseModel]) -> dict[str, Any]:
    """For `openapi_extra`: FastAPI would read a declared body before it is known who sends it."""
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})
    schema = _replace_references(schema, inner)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _replace_references(part: Any, inner: dict[str, Any]) -> Any:
    """A schema that stands by itself: in the published document its references would lead nowhere."""
    if isinstance(part, list):
        return [_replace_references(each, inner) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return inner[part["$ref"].rpartition("/")[2]]
    return {name: _replace_references(each, inner) for name, each in part.items()}


class PanelPlaceRoutes:
    """The routes below `/api/v1/gateways/{serial}/panels`.

    Args:
        sites: What the owner says about each gateway.
        writer: Writes the sites file.
        body_seconds: How long a body may take to come.
    """

    def __init__(self, *, sites: LocatedSites, writer: SitesFileWriter, body_seconds: float) -> None:
        self._sites = sites
        self._writer = writer
        self._body_seconds = body_seconds

    def make_router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(prefix="/api/v1/gateways/{serial}/panels", tags=["panels"], redirect_slashes=False)
        router.add_api_route("", self.show_places, summary="Where the panels are", response_model=PanelPlaces)
        router.add_api_route(
            "",
            self.change_places,
            methods=["PATCH"],
            summary="Say where panels are, and what they are called",
            response_model=PanelPlaces,
            responses=CHANGE_REFUSALS,
            openapi_extra=_describe_body(PanelPlacesPatch),
        )
        router.add_api_route(
            "/layout",
            self.read_layout,
            methods=["POST"],
            summary="What a layout says of panels",
            response_model=LayoutPanels,
            responses=CHANGE_REFUSALS,
            openapi_extra=_describe_body(PastedLayout),
        )
        return router

    async def show_places(self, question: AskedOfGateway, _: WithoutParameters, request: Request) -> Response:
        """What the sites file says of the panels; an owner reads it before changing it."""
        return answers.make_document(request, await self._describe(question))

    async def change_places(self, question: AskedByOwner, _: WithoutParameters, request: Request) -> Response:
        """Write names and places of panels into the sites file. A token of scope `owner` is needed, not a cookie.

        All is written or nothing. The file's comments stay. A file that has changed since `version` was read is left
        alone (412), and so is one that the receiver cannot write (409).
        """
        wanted = await self._read_body(request, PanelPlacesPatch)
        changes = {inverter: panel.model_dump(exclude_unset=True) for inverter, panel in wanted.panels.items()}
        try:
            await asyncio.to_thread(self._writer.change, question.serial, changes, wanted.version)
        except SitesFileLockedError as error:
            raise RefusedError(Problem.NOT_WRITABLE, "sites-file-locked", detail=_make_sentence(str(error))) from error
        except SitesFileChangedError as error:
            raise RefusedError(Problem.CHANGED_MEANWHILE, "sites-file-changed") from error
        except SitesFileError as error:
            raise RefusedError(Problem.UNPROCESSABLE, "panel-places", detail=_make_sentence(str(error))) from error
        _log.info("panels placed", gateway=question.serial, by=question.caller.name, panels=len(changes))
        self._sites.look_now()
        return answers.make_document(request, await self._describe(question))

    async def read_layout(self, _: AskedByOwner, __: WithoutParameters, request: Request) -> Response:
        """What Enlighten's array layout, or a table, says of panels: shown before anything is written."""
        pasted = await self._read_body(request, PastedLayout)
        try:
            panels = await asyncio.to_thread(parse_layout, pasted.text)
        except LayoutError as error:
            raise RefusedError(Problem.UNPROCESSABLE, "layout", detail=_make_sentence(str(error))) from error
        return answers.make_document(request, {"panels": panels})

    async def _describe(self, question: GatewayQuestion) -> PanelPlaces:
        site = self._sites.get_site(question.serial)
        obstacle = await asyncio.to_thread(self._writer.find_obstacle)
        try:
            version = await asyncio.to_thread(self._writer.read_version)
        except SitesFileLockedError as error:
            obstacle, version = str(error), ""
        return {
            "panels": {inverter: describe_panel_data(site, inverter) for inverter in site.panels},
            "version": version,
            "obstacle": obstacle and _make_sentence(obstacle),
            "keeps_comments": KEEPS_COMMENTS,
        }

    async def _read_body(self, request: Request, model: type[_Model]) -> _Model:
        """Raises RefusedError; its detail names fields and rules, and nothing that was sent."""
        data = await body.read(request, seconds=self._body_seconds)
        try:
            refuse_duplicates(data)
        except ValueError as error:
            raise RefusedError(Problem.MALFORMED, "json") from error
        try:
            return model.model_validate_json(data, strict=True)
        except ValidationError as error:
            raise RefusedError(Problem.UNPROCESSABLE, "body", detail=_explain(model, error)) from error


_NAMES: Final = frozenset({*PanelPlacesPatch.model_fields, *PanelPlacePatch.model_fields, *PastedLayout.model_fields})


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    names = [str(part) for part in problem["loc"] if part in _NAMES]
    if problem["type"] == "extra_forbidden":
        fields = PanelPlacePatch.model_fields if "panels" in names else model.model_fields
        return _make_sentence(f"{', '.join(names) or 'the body'}: an unknown key; there are {', '.join(fields)}")
    rule = None if len(names) < 2 else find_rule(names[-1])
    if not names:
        return _make_sentence(f"the body must have {', '.join(model.model_fields)}")
    return _make_sentence(f"{', '.join(names)} {rule or 'has another form than the published schema says'}")


def _make_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
