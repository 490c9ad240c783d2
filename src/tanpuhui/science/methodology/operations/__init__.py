"""Import versions, propose them for filing, and what each outcome of the filing case does to them.

Errors: engine MethodologyError and VersionBlocked (passed on), WrongVersionState, NotDecided, ArchiveChanged,
TestParametersRefused, workflow CaseAlreadyOpen, kernel NotFound.
"""

from tanpuhui.science.methodology.domain import (
    ArchiveChanged,
    NotDecided,
    TestParametersRefused,
    WrongVersionState,
)
from tanpuhui.science.methodology.operations._import_version import (
    LibraryImported,
    VersionImported,
    import_archive,
    import_library,
    import_version,
)
from tanpuhui.science.methodology.operations._propose_filing import FilingProposed, propose_filing
from tanpuhui.science.methodology.operations._settle_version import (
    VersionSettled,
    file_version,
    recommend_version,
    reject_version,
    resubmit_version,
    return_version,
)

__all__ = [
    "ArchiveChanged",
    "FilingProposed",
    "LibraryImported",
    "NotDecided",
    "TestParametersRefused",
    "VersionImported",
    "VersionSettled",
    "WrongVersionState",
    "file_version",
    "import_archive",
    "import_library",
    "import_version",
    "propose_filing",
    "recommend_version",
    "reject_version",
    "resubmit_version",
    "return_version",
]
