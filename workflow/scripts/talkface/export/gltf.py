"""A speaking head as a glTF 2.0 file: ARKit's morph targets, an animation of their weights and of the head's turns.

Positions are in metres, y up, the face looks along z. Vertices that a target does not move are not stored (sparse
accessors). Parts share the vertices, whose colours they blend, and have a material each.

Axes: T frames, V vertices, E expressions.
"""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from talkface import __version__
from talkface.conventions import FPS
from talkface.errors import TalkfaceError
from talkface.face3d.camera import upright_turn
from talkface.face3d.face_model import FaceModel, normals_of
from talkface.face3d.looks import colours_of
from talkface.face3d.records import Motion
from talkface.files import writing

try:
    import pygltflib as gltf
except ModuleNotFoundError:
    raise TalkfaceError(
        "face.glb: the package pygltflib is not installed, which writes glTF files; install it: pip install pygltflib"
    ) from None

METRES = 0.089  # of an outer-eye distance
STILL = 2e-4  # outer-eye distances: a vertex that a target moves less is not moved
ROUGHNESS = {"skin": 0.6, "mouth": 0.9, "tongue": 0.5, "teeth": 0.3, "eyes": 0.2}


TYPES = {"f": gltf.FLOAT, "H": gltf.UNSIGNED_SHORT, "I": gltf.UNSIGNED_INT}  # by numpy's character


def _numbering(vertices: int) -> type[np.uint16] | type[np.uint32]:
    """Return the smallest type that numbers so many vertices."""
    return np.uint16 if vertices <= 65_535 else np.uint32


class _Buffer:
    """The binary of a file on its way."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[gltf.BufferView] = []
        self.accessors: list[gltf.Accessor] = []

    def view(self, array: NDArray, target: int | None = None) -> int:
        """Append an array, at a multiple of four bytes."""
        self.data += b"\0" * (-len(self.data) % 4)
        raw = np.ascontiguousarray(array).tobytes()
        self.views.append(gltf.BufferView(buffer=0, byteOffset=len(self.data), byteLength=len(raw), target=target))
        self.data += raw
        return len(self.views) - 1

    def accessor(self, array: NDArray, kind: str, *, target: int | None = None, bounds: bool = False) -> int:
        """Append an array as one of scalars or vectors."""
        flat = array.reshape(len(array), -1)
        self.accessors.append(
            gltf.Accessor(
                bufferView=self.view(array, target),
                componentType=TYPES[array.dtype.char],
                count=len(array),
                type=kind,
                min=flat.min(axis=0).tolist() if bounds else None,
                max=flat.max(axis=0).tolist() if bounds else None,
            )
        )
        return len(self.accessors) - 1

    def movement(self, moved: NDArray) -> int:
        """Append the movements (V, 3) of a morph target, those that are some."""
        rows = np.flatnonzero(np.abs(moved).max(axis=1) > STILL * METRES)
        if len(rows) == 0:
            rows = np.array([0])  # a target must hold something; this moves nothing
            moved = np.zeros_like(moved)
        stored = np.zeros_like(moved)
        stored[rows] = moved[rows]
        numbers = rows.astype(_numbering(len(moved)))
        self.accessors.append(
            gltf.Accessor(
                byteOffset=None,  # of zeros that no buffer holds
                componentType=gltf.FLOAT,
                count=len(moved),
                type=gltf.VEC3,
                min=stored.min(axis=0).tolist(),
                max=stored.max(axis=0).tolist(),
                sparse=gltf.Sparse(
                    count=len(rows),
                    indices=gltf.AccessorSparseIndices(
                        bufferView=self.view(numbers), componentType=TYPES[numbers.dtype.char]
                    ),
                    values=gltf.AccessorSparseValues(bufferView=self.view(moved[rows].astype(np.float32))),
                ),
            )
        )
        return len(self.accessors) - 1


def write_gltf(model: FaceModel, motion: Motion, output: str | Path, *, identity: ArrayLike = ()) -> None:
    """Write a head that moves, as a .glb.

    Parameters
    ----------
    model : FaceModel
        With ARKit's expressions.
    motion : Motion
    output : path
    identity : (I,) array
        Of the person; the mean face by default.
    """
    face = model.person(identity)
    upright = METRES * np.array([1, -1, 1], np.float32)
    buffer = _Buffer()
    position = buffer.accessor(face * upright, gltf.VEC3, target=gltf.ARRAY_BUFFER, bounds=True)
    normal = buffer.accessor(
        normals_of(face, model.triangles) * np.array([1, -1, 1], np.float32), gltf.VEC3, target=gltf.ARRAY_BUFFER
    )
    colour = buffer.accessor(_linear(colours_of(model)), gltf.VEC4, target=gltf.ARRAY_BUFFER)
    targets = [{"POSITION": buffer.movement(moved * upright)} for moved in model.expression]
    primitives: list[gltf.Primitive] = []
    materials: list[gltf.Material] = []
    for part in model.parts:
        triangles = model.triangles_of(part)
        if len(triangles) == 0:
            continue
        indices = triangles.astype(_numbering(len(face))).reshape(-1)
        primitives.append(
            gltf.Primitive(
                attributes=gltf.Attributes(POSITION=position, NORMAL=normal, COLOR_0=colour),
                indices=buffer.accessor(indices, gltf.SCALAR, target=gltf.ELEMENT_ARRAY_BUFFER),
                material=len(materials),
                targets=targets,
            )
        )
        look = gltf.PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=ROUGHNESS.get(part, 0.6))
        materials.append(gltf.Material(name=part, pbrMetallicRoughness=look, doubleSided=part in ("skin", "mouth")))
    whole = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator=f"talkface {__version__}"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(name="head", mesh=0)],
        meshes=[
            gltf.Mesh(
                name="face",
                primitives=primitives,
                weights=[0.0] * len(model.names),
                extras={"targetNames": list(model.names)},
            )
        ],
        materials=materials,
    )
    if len(motion.weights):
        whole.animations = [_animation(buffer, motion)]
    whole.accessors, whole.bufferViews = buffer.accessors, buffer.views
    whole.buffers = [gltf.Buffer(byteLength=len(buffer.data))]
    whole.set_binary_blob(bytes(buffer.data))
    with writing(output) as temporary:
        temporary.write_bytes(b"".join(whole.save_to_bytes()))


def _linear(colours: NDArray) -> NDArray[np.float32]:
    """Convert colours (V, 3) from sRGB, 0 .. 255, to linear ones that cover, (V, 4), 0 .. 1."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.column_stack([linear, np.ones(len(linear))]).astype(np.float32)


def _animation(buffer: _Buffer, motion: Motion) -> gltf.Animation:
    """Let weights and the head's turns follow time."""
    time = buffer.accessor(np.arange(len(motion.weights), dtype=np.float32) / FPS, gltf.SCALAR, bounds=True)
    weights = buffer.accessor(motion.weights.astype(np.float32).reshape(-1), gltf.SCALAR)
    turns = buffer.accessor(upright_turn(motion.turn).as_quat().astype(np.float32), gltf.VEC4)
    return gltf.Animation(
        name="speech",
        samplers=[
            gltf.AnimationSampler(input=time, output=weights, interpolation=gltf.ANIM_LINEAR),
            gltf.AnimationSampler(input=time, output=turns, interpolation=gltf.ANIM_LINEAR),
        ],
        channels=[
            gltf.AnimationChannel(sampler=0, target=gltf.AnimationChannelTarget(node=0, path="weights")),
            gltf.AnimationChannel(sampler=1, target=gltf.AnimationChannelTarget(node=0, path="rotation")),
        ],
    )
