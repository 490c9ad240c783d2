"""What an author sees while writing (边写边核对): the first fault of each file, or the checked version with its worked cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tanpuhui.science.engine.archive import check_files
from tanpuhui.science.engine.cases import CaseOutcome, each_outcome, read_cases
from tanpuhui.science.engine.errors import MethodologyError
from tanpuhui.science.engine.load import load_version
from tanpuhui.science.engine.model import MethodologyVersion
from tanpuhui.science.engine.parameters import load_parameter_set

PARAMETER_SET_FILE = "parameter_set.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderChecked:
    """What checking a folder found. `version` is None where the folder is refused; then `faults` says why.

    A fault in cases.yaml or in the parameter set stands beside a version that was loaded without it. `unfinished` is
    how many worked cases were left when the caller's patience ended.
    """

    faults: tuple[MethodologyError, ...]
    version: MethodologyVersion | None
    outcomes: tuple[CaseOutcome, ...]
    unfinished: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is refused and every worked case gives what it should."""
        checked = self.version is not None and not self.faults and not self.unfinished
        return checked and all(one.passed for one in self.outcomes)


def check_folder(
    files: Mapping[str, bytes],
    *,
    parameter_set: bytes | None = None,
    cases: bool = True,
    enough: Callable[[], bool] = lambda: False,
) -> FolderChecked:
    """Check a folder as it stands, with its parameter set where it has one; refusals are told and not raised.

    Before each worked case `enough` is asked whether the caller has waited long enough.
    """
    faults: list[MethodologyError] = []
    try:
        check_files(files)
    except MethodologyError as fault:
        return FolderChecked(faults=(fault,), version=None, outcomes=())
    given = None
    if parameter_set is not None:
        try:
            given = load_parameter_set(parameter_set, file=PARAMETER_SET_FILE)
        except MethodologyError as fault:
            faults.append(fault)
    try:
        version = load_version(files, parameter_set=given)
    except MethodologyError as fault:
        return FolderChecked(faults=(fault, *faults), version=None, outcomes=())
    outcomes: list[CaseOutcome] = []
    unfinished = 0
    if cases:
        try:
            worked = read_cases(files)
            waiting = each_outcome(files, worked)
            while len(outcomes) < len(worked) and not enough():
                outcomes.append(next(waiting))
            unfinished = len(worked) - len(outcomes)
        except MethodologyError as fault:
            faults.append(fault)
    return FolderChecked(
        faults=tuple(faults), version=version, outcomes=tuple(outcomes), unfinished=unfinished
    )
