"""Import versions, write drafts, propose either for filing, and what each outcome of the filing case does to them.

Errors: DraftChanged, DraftNotOpen, TooManyDrafts, engine MethodologyError and VersionBlocked (passed on), WrongVersionState, NotDecided, ArchiveChanged,
TestParametersRefused, workflow CaseAlreadyOpen, kernel NotFound.
"""

from tanpuhui.science.methodology.domain import (
    ArchiveChanged,
    DraftChanged,
    DraftNotOpen,
    NotDecided,
    TestParametersRefused,
    TooManyDrafts,
    WrongVersionState,
)
from tanpuhui.science.methodology.operations._draft import (
    DRAFTERS,
    DraftProposed,
    DraftSaved,
    close_draft,
    open_draft,
    propose_draft,
    save_draft,
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
    "DRAFTERS",
    "ArchiveChanged",
    "DraftChanged",
    "DraftNotOpen",
    "DraftProposed",
    "DraftSaved",
    "FilingProposed",
    "LibraryImported",
    "NotDecided",
    "TestParametersRefused",
    "TooManyDrafts",
    "VersionImported",
    "VersionSettled",
    "WrongVersionState",
    "close_draft",
    "file_version",
    "import_archive",
    "import_library",
    "import_version",
    "open_draft",
    "propose_draft",
    "propose_filing",
    "recommend_version",
    "reject_version",
    "resubmit_version",
    "return_version",
    "save_draft",
]
