"""A head that speaks, as a glTF file."""

from talkface.logs import log_to

with log_to(snakemake.log[0], threads=snakemake.threads):
    from talkface.export.gltf import write_gltf
    from talkface.face3d.face_model import load_arkit_model
    from talkface.face3d.records import read_identity, read_weights

    write_gltf(
        load_arkit_model(snakemake.input.face_model),
        read_weights(snakemake.input.weights),
        snakemake.output.head,
        identity=read_identity(snakemake.input.get("identity")),
    )
