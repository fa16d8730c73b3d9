"""A protocol as people write it in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from kcrr_analysis import yaml_files
from kcrr_analysis.experiments.design import Method
from kcrr_analysis.experiments.outcomes import Aim, Better, Estimand, Kind, Missing, Role
from kcrr_analysis.experiments.several import Multiplicity

Text = Annotated[str | None, yaml_files.Absent]
Number = Annotated[float | None, yaml_files.Absent]


def _listed(value: object) -> object:
    """One name is a list of one; nothing is an empty list."""
    return ([value] if value.strip() else []) if isinstance(value, str) else value


def _arms(value: object) -> object:
    if isinstance(value, (Mapping, list)):
        return value
    raise ValueError("ожидается список групп или строки «группа: доля»; первая группа — контрольная")


Names = Annotated[list[str], BeforeValidator(_listed)]


class DesignFile(yaml_files.FileModel):
    """`design`: fields of `Design`."""

    unit: str = "person_id"
    cluster: Text = None
    arms: Annotated[Any, BeforeValidator(_arms)]
    method: Method = "complete"
    strata: Names = Field(default_factory=list)
    pairs: Text = None
    balance: Names = Field(default_factory=list)
    accept: float = 0.1
    waves: Annotated[int | None, yaml_files.Absent] = None
    period: str = "month"
    block: int = 1
    washout: int = 0
    seed: Annotated[int | None, yaml_files.Absent] = 0


class OutcomeFile(yaml_files.FileModel):
    """A line of `outcomes`: fields of `Outcome`."""

    name: str
    kind: Kind = "proportion"
    column: str = ""
    of: Text = None
    role: Role = "primary"
    aim: Annotated[Aim | None, yaml_files.Absent] = None
    better: Better = "higher"
    margin: Number = None
    worthwhile: float = 0.0
    covariates: Names = Field(default_factory=list)
    covariate_of: Text = None
    missing: Missing = "excluded"
    title: str = ""
    unit: str = ""


class LooksFile(yaml_files.FileModel):
    """`looks`: fields of `Looks`."""

    kind: str = "lan_demets_obrien_fleming"
    wave: str = "wave"


class RuleFile(yaml_files.FileModel):
    """`rule`: fields of `Rule`."""

    adopt: Literal["better", "worthwhile"] = "better"
    scale_to: Number = None


class CostsFile(yaml_files.FileModel):
    """`costs`: fields of `Costs`."""

    per_person: dict[str, Annotated[float, Field(ge=0)]]
    source: str = ""


class ProtocolFile(yaml_files.FileModel):
    """A file of `params/pilots`."""

    pilot: str
    title: str = ""
    question: str = ""
    service_id: str = ""
    design: DesignFile
    estimand: Estimand = "person"
    alpha: float = Field(default=0.05, gt=0, lt=1)
    multiplicity: Multiplicity = "dunnett"
    outcomes: list[OutcomeFile]
    arm_titles: dict[str, str] = Field(default_factory=dict)
    looks: Annotated[LooksFile | None, yaml_files.Absent] = None
    rule: RuleFile = RuleFile()
    costs: Annotated[CostsFile | None, yaml_files.Absent] = None
    hash: Text = None
