"""What a coach may set: one typed model for the command line, the panels and the schedule."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from analysis.errors import UnknownError, UsageError, join_faults

GroupSize = Annotated[int, Field(ge=1, le=40)]
CycleWeeks = Annotated[int, Field(ge=1, le=12)]


class PageParameters(BaseModel):
    """What every page is made from; the same names as in its notebook.

    Examples
    --------
    >>> PageParameters(window="2026-EOY", data_dir="data/store").language
    'en'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    window: str = Field(min_length=1, description="assessment window")
    data_dir: str = Field(min_length=1, description="folder with the exports or their store")
    language: str = Field("en", min_length=2, description="language of the page: en or es")


class ReportParameters(PageParameters):
    """What one classroom's report is made from.

    Examples
    --------
    >>> ReportParameters(classroom_id="007", window="2026-EOY", data_dir="data/store").min_size
    3
    """

    classroom_id: str = Field(min_length=1, description="classroom to report on, as in the roster")
    min_size: GroupSize = Field(3, description="fewest students a group may have")
    max_size: GroupSize = Field(6, description="most students a group may have")
    n_groups: int | None = Field(None, ge=1, le=12, description="how many groups; None: chosen")
    use_wishes: bool = Field(False, description="whom students work well with counts a little")
    cycle_weeks: CycleWeeks = Field(4, description="weeks until the groups are formed anew")

    @model_validator(mode="after")
    def _sizes_make_sense(self) -> ReportParameters:
        if self.min_size > self.max_size:
            raise ValueError(f"min_size {self.min_size} is over max_size {self.max_size}")
        return self


class StudentParameters(ReportParameters):
    """What the pages of one classroom's students are made from; the groups tell what is taught.

    Examples
    --------
    >>> StudentParameters(classroom_id="7A", window="2026-EOY", data_dir="data/store").reader
    'student'
    """

    student_id: str | None = Field(None, description="one student; None: a page for each")
    reader: Literal["student", "family"] = Field("student", description="who reads the page")


class CaseloadParameters(PageParameters):
    """What a coach's page over all classrooms is made from.

    Examples
    --------
    >>> CaseloadParameters(coach_id="c1", window="2026-EOY", data_dir="data/store").smallest_cell
    10
    """

    coach_id: str = Field(min_length=1, description="coach to report to, as in the roster")
    visits: str = Field("data/visits.csv", description="the coach's log of visits")
    min_size: GroupSize = Field(3, description="fewest students a group may have")
    max_size: GroupSize = Field(6, description="most students a group may have")
    cycle_weeks: CycleWeeks = Field(4, description="weeks until the groups are formed anew")
    smallest_cell: int = Field(10, ge=3, description="fewest students a figure may be about")


Parameters = TypeVar("Parameters", bound=PageParameters)


class ExpectedFiles(BaseModel):
    """Files that come again and again, so that one that does not come is missed.

    Examples
    --------
    >>> ExpectedFiles(files="grade4/*.csv").every_days
    7
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: str = Field(min_length=1, description="names in the inbox: *.csv, grade4/*.xlsx")
    every_days: int = Field(7, ge=1, le=400, description="days after which a new one is missed")


class RunSettings(BaseModel):
    """What ``coach run`` does unattended: the section ``[run]`` of ``coach.toml``.

    Examples
    --------
    >>> RunSettings().pages
    ['classroom', 'caseload']
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inbox: Path = Field(Path("data/inbox"), description="folder new exports are put in")
    window: str | None = Field(
        None,
        min_length=1,
        description="window to report on; unset: the newest that half of the classrooms have",
    )
    window_of_files: str | None = Field(
        None, min_length=1, description="window of evidence whose file names none"
    )
    attempts: Literal["latest", "best", "all"] = Field(
        "latest", description="which of repeated answers counts"
    )
    item_map: Path | None = Field(None, description="CSV: question,standard,answer,points")
    column_map: Path | None = Field(None, description="TOML: which column is what")
    aliases: Path | None = Field(None, description="CSV: a vendor's skill names and skill ids")
    settle_seconds: float = Field(
        10, ge=0, le=600, description="seconds a new file must stay as it is before it is read"
    )
    expect: list[ExpectedFiles] = Field([], description="files that come again and again")
    pages: list[Literal["classroom", "caseload", "students", "families"]] = Field(
        ["classroom", "caseload"], min_length=1, description="kinds of pages to make"
    )
    share_to: list[Literal["teachers", "coach", "families"]] = Field(
        [], description="whom to make bundles for after each new edition"
    )
    share_out: Path = Field(Path("shared"), description="folder for the bundles")


class NotifySettings(BaseModel):
    """Who is told of a run, and how: the section ``[notify]`` of ``coach.toml``.

    A password is never written here: it is in a variable or a file that is named here.

    Examples
    --------
    >>> NotifySettings(command=["notify-send", "Reports"]).when
    'always'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Literal["always", "problems"] = Field("always", description="always, or only then")
    command: list[str] = Field([], description="program and its words; it reads the digest")
    smtp_host: str | None = Field(None, min_length=1, description="mail server")
    smtp_port: int = Field(587, ge=1, le=65535, description="port of the mail server")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="encryption")
    sender: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$", description="from whom")
    to: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]] = Field([], description="to whom")
    user: str | None = Field(None, min_length=1, description="account on the mail server")
    password_variable: str | None = Field(
        None, min_length=1, description="environment variable with the password"
    )
    password_file: Path | None = Field(None, description="file that holds the password alone")
    timeout: float = Field(30, gt=0, le=600, description="seconds until it is given up")

    @model_validator(mode="after")
    def _can_send(self) -> NotifySettings:
        if self.smtp_host and not (self.sender and self.to):
            raise ValueError("smtp_host needs sender and to as well")
        if self.user and not (self.password_variable or self.password_file):
            raise ValueError("user needs password_variable or password_file, never the password")
        if self.user and self.security == "none":
            raise ValueError("a password must not travel unencrypted: security starttls or tls")
        return self


class Settings(BaseSettings):
    """The settings of ``coach.toml``; a variable ``COACH_STORE`` and the like comes first.

    Examples
    --------
    >>> Settings().max_size
    6
    """

    model_config = SettingsConfigDict(env_prefix="COACH_", extra="forbid", frozen=True)

    store: Path = Field(Path("data/store"), description="where imported data is kept")
    out: Path = Field(Path("reports"), description="where reports are published")
    notebooks: Path = Field(Path("notebooks"), description="where the notebooks are")
    min_size: GroupSize = Field(3, description="fewest students a group may have")
    max_size: GroupSize = Field(6, description="most students a group may have")
    n_groups: int | None = Field(None, ge=1, le=12, description="how many groups; unset: chosen")
    use_wishes: bool = Field(False, description="whom students work well with counts a little")
    language: str = Field("en", min_length=2, description="language of the pages: en or es")
    cycle_weeks: CycleWeeks = Field(4, description="weeks until the groups are formed anew")
    visits: Path = Field(Path("data/visits.csv"), description="the coach's log of visits")
    keep_subgroups: list[str] = Field(
        [], description="roster columns kept for the coach's page alone, as english_learner"
    )
    smallest_cell: int = Field(10, ge=3, description="fewest students a figure may be about")
    workers: int | None = Field(None, ge=1, description="processes at work; unset: one a core")
    cell_timeout: int = Field(120, ge=1, description="seconds one cell may take")
    report_timeout: int = Field(180, ge=1, description="seconds one report may take")
    most_changed: float = Field(
        0.05, ge=0, le=1, description="share of evidence that may change before recalibrating"
    )
    keep: int = Field(30, ge=0, description="editions to keep; 0: all")
    engine: Literal["pool", "dask"] = Field("pool", description="who makes reports in parallel")
    scheduler: str | None = Field(None, description="address of a Dask scheduler, tcp://…")
    fetch_from: str | None = Field(None, description="address of a store to fetch first, s3://…")
    deliver_to: str | None = Field(None, description="address to put each new edition at, s3://…")
    report_memory: int = Field(
        4096, ge=0, description="megabytes of memory one report may take, on Linux; 0: any"
    )
    run: RunSettings = Field(RunSettings(), description="what coach run does unattended")
    notify: NotifySettings = Field(NotifySettings(), description="who is told of a run, and how")

    @property
    def n_workers(self) -> int:
        """How many processes make pages at the same time."""
        return self.workers or os.cpu_count() or 1

    @property
    def uses_cluster(self) -> bool:
        """Whether they are those of a Dask cluster."""
        return self.scheduler is not None or self.engine == "dask"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the command first, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings(config: Path | None = None, **given: Any) -> Settings:
    """Return the settings of a file, with what was given on the command line before it.

    Parameters
    ----------
    config
        A TOML file; without one, ``coach.toml`` of the working folder if it is there.
    **given
        Settings by name; ``None`` means not given.

    Raises
    ------
    UsageError
        The file is missing or no TOML, or a setting is unknown or out of range: all named.
    """
    file = config or Path("coach.toml")
    if config is not None and not config.is_file():
        raise UsageError(f"{config} is not there.\nCorrect the path after --config.")
    given = {name: value for name, value in given.items() if value is not None}
    try:
        return _settings_from(file)(**given)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}\nCorrect that line.") from None
    except ValidationError as error:
        raise UsageError(_describe(error, Settings, str(file))) from None


Anchored = TypeVar("Anchored", bound=BaseModel)


def anchor(settings: Anchored, folder: Path) -> Anchored:
    """Return settings whose paths do not depend on the folder a command is run in.

    Parameters
    ----------
    settings
        Of which relative paths are taken as below ``folder``.
    folder
        The one ``coach.toml`` lies in.

    Examples
    --------
    >>> anchor(Settings(), Path("/srv/coach")).run.inbox.as_posix()
    '/srv/coach/data/inbox'
    """
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    placed = {name: folder / one for name, one in values.items() if isinstance(one, Path)}
    inner = {
        name: anchor(one, folder) for name, one in values.items() if isinstance(one, BaseModel)
    }
    return settings.model_copy(update=placed | inner)


def check_parameters(
    given: dict[str, Any],
    where: str = "the report's parameters",
    *,
    model: type[Parameters],
) -> Parameters:
    """Return the parameters as their typed model.

    Raises
    ------
    UsageError
        A parameter is unknown, missing or out of range: all named, with a suggestion.
    """
    try:
        return model(**given)
    except ValidationError as error:
        raise UsageError(_describe(error, model, where)) from None


def _settings_from(file: Path) -> type[Settings]:
    config = SettingsConfigDict(toml_file=file)
    return type("Settings", (Settings,), {"model_config": config, "__doc__": Settings.__doc__})


def _describe(error: ValidationError, model: type[BaseModel], where: str) -> str:
    faults = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            section, known = _section_of(model, fault["loc"][:-1])
            there = f"{where}, [{section}]," if section else where
            faults.append(str(UnknownError.of("setting", str(fault["loc"][-1]), known, there)))
        else:
            message = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{where}: {name}: {message}".replace(": : ", ": "))
    return join_faults(faults)


def _section_of(model: type[BaseModel], loc: tuple[Any, ...]) -> tuple[str, list[str]]:
    """Return the name of the section a place is in, and the settings it may have."""
    section = [str(part) for part in loc if not isinstance(part, int)]
    for name in section:
        kind = model.model_fields[name].annotation
        model = next(
            (one for one in (kind, *get_args(kind)) if hasattr(one, "model_fields")), model
        )
    return ".".join(section), list(model.model_fields)
