"""Face models from the web: ICT-FaceKit's files by the list that comes along, checked and gathered in one.

face_models.tsv: `path`, `bytes` and `sha256` of each file at a fixed commit of its repository.
"""

import shutil
from pathlib import Path

import pandas as pd

from talkface.corpus.download import RemoteFile, check_space, fetch_file
from talkface.face3d.ict import pack

LISTING = Path(__file__).with_name("face_models.tsv")
COMMIT = "da5f95a607f5e6b37755b38d3385d7f2853732e5"
ADDRESS = f"https://raw.githubusercontent.com/ICT-VGL/ICT-FaceKit/{COMMIT}"


def fetch_ict(output: str | Path, *, address: str = ADDRESS, listing: str | Path = LISTING) -> None:
    """Fetch ICT-FaceKit and write it as one .npz (layout: `talkface.face3d.face_model`).

    Parameters
    ----------
    output : path
        Its meshes arrive in a folder beside it, which is removed in the end; a run that was interrupted goes on there.
    address : str
        Of the repository's files, without a slash at the end.
    listing : path
        What is expected, columns as above.

    Raises
    ------
    TalkfaceError
        If a file is not there, or not the one that is listed.
    """
    folder = Path(output).with_suffix("")
    table = pd.read_csv(listing, sep="\t", comment="#")
    folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, int(table["bytes"].sum()), what="the meshes of ICT-FaceKit")
    files = []
    for named, size, sha256 in table[["path", "bytes", "sha256"]].itertuples(index=False):
        path = folder / Path(named).name
        fetch_file(RemoteFile(path.name, size, "", f"{address}/{named}", sha256=sha256), path)
        files.append(path)
    pack(files, output)
    shutil.rmtree(folder)
