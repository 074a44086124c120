"""The lecture's tables say what the lecture says, and mistakes in their files are named."""

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.tables import lecture
from pipeline.tables.lecture import read_lecture

TABLES = Path("data/tables.yaml")
PUBLISHED = Path("data/published.csv")

# Copied by hand from the slides (None: no legible value); in figures without digits, from the papers.
SLIDES: dict[str, list[tuple[str, list[str | None]]]] = {
    "voc07-detection": [
        ("ImageNet Labels", ["56.8"]),
        ("Relative positioning", ["51.1"]),
        ("No Pretraining", ["45.6"]),
    ],
    "multi-task": [
        ("Rel. Pos", ["59.21", "66.75"]),
        ("Colour", ["62.48", "65.47"]),
        ("Exemplar", ["53.08", "60.94"]),
        ("Rel. Pos + colour", ["66.64", "68.75"]),
        ("Rel. Pos + Exemplar", ["65.24", "69.44"]),
        ("Rel. Pos + colour + Exemplar", ["68.65", "69.48"]),
        ("ImageNet labels", ["85.10", "74.17"]),
    ],
    "rotation-voc07-detection": [
        ("Random", ["43.4"]),
        ("Rel. Pos.", ["51.1"]),
        ("Colour", ["46.9"]),
        ("Rotation", ["54.4"]),
        ("ImageNet Labels", ["56.8"]),
    ],
    "simclr-augmentations": [
        ("Crop", ["33.1", "56.3"]),
        ("Cutout", [None, None]),
        ("Color", [None, None]),
        ("Sobel", [None, None]),
        ("Noise", [None, None]),
        ("Blur", [None, None]),
        ("Rotate", [None, None]),
    ],
    "simclr-batch-size": [
        ("Batch size 256", ["57.5", "61.9", "64.7", "66.6"]),
        ("Batch size 512", ["60.7", "64.0", "66.2", "67.8"]),
        ("Batch size 1024", ["62.8", "65.3", "67.2", "68.5"]),
        ("Batch size 2048", ["64.0", "66.1", "68.1", "68.9"]),
        ("Batch size 4096", ["64.6", "66.5", "68.2", "68.9"]),
        ("Batch size 8192", ["64.8", "66.6", "67.8", "69.0"]),
    ],
    "simclr-comparison": [
        ("Supervised", ["76.5"]),
        ("SimCLR (4x)", ["76.5"]),
        ("SimCLR (2x)", ["74.2"]),
        ("CPCv2-L", ["71.5"]),
        ("SimCLR", ["69.3"]),
        ("MoCo (4x)", ["68.6"]),
        ("CMC", ["68.4"]),
        ("AMDIM", ["68.1"]),
        ("PIRL-c2x", ["67.4"]),
        ("MoCo (2x)", ["65.4"]),
        ("CPCv2", ["63.8"]),
        ("PIRL", ["63.6"]),
        ("AMDIM (small)", ["63.5"]),
        ("BigBiGAN", ["61.3"]),
        ("MoCo", ["60.6"]),
        ("Local Agg.", ["60.2"]),
        ("Rotation", ["55.4"]),
        ("InstDisc", ["54.0"]),
    ],
    "mae-fine-tuning": [
        ("MAE, IN1K", ["83.6", "85.9", "86.9", "87.8"]),
        ("supervised, IN1K, our impl.", ["82.3", "82.6", "83.1", None]),
        ("supervised, IN1K [16]", [None, None, None, None]),
        ("supervised, JFT300M [16]", [None, None, None, None]),
    ],
    "mae-coco": [
        ("supervised (IN1K w/ labels)", ["47.9", "49.3", "42.9", "43.9"]),
        ("MoCo v3 (IN1K)", ["47.9", "49.3", "42.7", "44.0"]),
        ("BEiT (IN1K+DALLE)", ["49.8", "53.3", "44.4", "47.1"]),
        ("MAE (IN1K)", ["50.3", "53.3", "44.9", "47.2"]),
    ],
    "shuffle-and-learn-ucf101": [
        ("Random", ["38.6"]),
        ("Shuffle & Learn", ["50.2"]),
        ("ImageNet pre-trained", ["67.1"]),
    ],
    "shuffle-and-learn-pose": [
        ("Shuffle & Learn", ["84.9", "49.6", "87.7", "47.6"]),
        ("ImageNet pre-train", ["85.8", "51.3", "85.1", "47.2"]),
    ],
    "odd-one-out-ucf101": [
        ("Random", ["38.6"]),
        ("Shuffle and Learn", ["50.2"]),
        ("Odd-One-Out", ["60.3"]),
        ("ImageNet pre-trained", ["67.1"]),
    ],
    # The slide prints 82; the footnote says so.
    "audio-visual-correspondence": [("Correspondence accuracy on test set: 82% (chance: 50%)", ["81.9"])],
    "esc50": [
        ("SVM-MFCC", ["39.6"]),
        ("Convolutional autoencoder", ["39.9"]),
        ("Random Forest", ["44.3"]),
        ("ConvNet (supervised)", ["64.5"]),
        ("SoundNet (supervised by vision)", ["74.2"]),
        ("Human", ["81.3"]),
        ("Ours", ["79.3"]),
    ],
    "imagenet-linear": [
        ("Random", ["18.3"]),
        ("Pathak et al.", ["22.3"]),
        ("Krähenbühl et al.", ["24.5"]),
        ("Donahue et al.", ["31.0"]),
        ("Doersch et al.", ["31.7"]),
        ("Zhang et al. (init: Krähenbühl et al.)", ["32.6"]),
        ("Noroozi and Favaro", ["34.7"]),
        ("Ours random", ["12.9"]),
        ("Ours", ["32.3"]),
    ],
}


@pytest.fixture(scope="module")
def the_lecture() -> lecture.Lecture:
    return read_lecture(TABLES, PUBLISHED)


def test_tables_stand_in_the_order_of_the_lecture(the_lecture: lecture.Lecture) -> None:
    assert [table.id for table in the_lecture.tables] == list(SLIDES)


@pytest.mark.parametrize("identity", SLIDES)
def test_every_row_has_the_values_of_its_slide(the_lecture: lecture.Lecture, identity: str) -> None:
    (table,) = [table for table in the_lecture.tables if table.id == identity]
    assert [row.label for row in table.rows] == [label for label, _ in SLIDES[identity]]
    for row, (_, values) in zip(table.rows, SLIDES[identity], strict=True):
        found = [
            float(the_lecture.published[row.published[column.name]].value) if column.name in row.published else None
            for column in table.columns
        ]
        assert found == [None if value is None else float(value) for value in values], row.label


def test_measured_numbers_stand_only_where_the_protocol_is_the_same_kind(the_lecture: lecture.Lecture) -> None:
    some = {
        ("simclr-comparison", "Supervised"): "supervised.linear.top1",
        ("simclr-comparison", "Rotation"): "rotation.linear.top1",
        ("imagenet-linear", "Random"): "random.linear.top1",
        ("imagenet-linear", "Ours random"): "random_ave_net.linear.top1",
        ("imagenet-linear", "Ours"): "ave_net.linear.top1",
        ("shuffle-and-learn-ucf101", "Random"): "random_video.action_finetuned.top1",
        ("shuffle-and-learn-ucf101", "Shuffle & Learn"): "shuffle_and_learn.action_finetuned.top1",
        ("odd-one-out-ucf101", "Random"): "random_video.action_finetuned.top1",
        ("odd-one-out-ucf101", "Shuffle and Learn"): "shuffle_and_learn.action_finetuned.top1",
        ("audio-visual-correspondence", "Correspondence accuracy on test set: 82% (chance: 50%)"): (
            "ave_net.correspondence.accuracy"
        ),
        ("esc50", "ConvNet (supervised)"): "supervised_sound.sound_svm.top1",
        ("esc50", "Ours"): "ave_net.sound_svm.top1",
    }
    built = {(table.id, row.label): alias for _, table, row in the_lecture.rows() for alias in row.measured.values()}
    assert built.items() >= some.items()
    for _, table, row in the_lecture.rows():
        comparable = {column.name: column.comparable for column in table.columns}
        for name, alias in row.measured.items():
            assert alias.partition(".")[2] == comparable[name], f"{table.id}, {row.label}"


@pytest.mark.parametrize(
    ("identity", "saying"),
    [
        ("voc07-detection", "k-means"),
        ("voc07-detection", "Fast R-CNN"),
        ("odd-one-out-ucf101", "CVPR 2017"),
        ("esc50", "Flickr-SoundNet"),
        ("audio-visual-correspondence", "two papers"),
        ("audio-visual-correspondence", "263,000"),
        ("audio-visual-correspondence", "81.9 rounded"),
        ("shuffle-and-learn-pose", "84.7"),
        ("shuffle-and-learn-pose", "upper-body"),
        ("odd-one-out-ucf101", "stack of differences"),
        ("audio-visual-correspondence", "not a contrastive loss with a margin"),
        ("audio-visual-correspondence", "sigmoid"),
        ("imagenet-linear", "Backbones"),
        ("multi-task", "motion segmentation"),
        ("simclr-comparison", "RevNet-50 4x"),
        ("mae-fine-tuning", "80 %"),
        ("rotation-voc07-detection", "46.1"),
        ("shuffle-and-learn-pose", "DeepPose"),
        ("esc50", "no digits"),
        ("voc07-detection", "cars"),
    ],
)
def test_known_inconsistencies_are_footnotes(the_lecture: lecture.Lecture, identity: str, saying: str) -> None:
    (table,) = [table for table in the_lecture.tables if table.id == identity]
    assert any(saying in footnote for footnote in table.footnotes.values())


def test_published_values_have_unique_keys_and_a_known_confidence(the_lecture: lecture.Lecture) -> None:
    assert len(the_lecture.published) == 488
    assert {one.confidence for one in the_lecture.published.values()} == {"read", "second-hand", "lecture", "recalled"}


ONE_TABLE = """
notes: []
tables:
  - id: one
    slide: One
    part: A
    caption: A caption.
    citation: A citation
    columns: [{name: mAP, comparable: null}, {name: top-1, comparable: linear.top1}]
    footnotes: {scratch: From scratch.}
    rows:
      - label: Rotation
        published: {mAP: gidaris2018-voc07det-rotnet}
        measured: {top-1: rotation.linear.top1}
        footnotes: [scratch]
"""


def read_with(tmp_path: Path, old: str, new: str) -> lecture.Lecture:
    path = tmp_path / "tables.yaml"
    assert old in ONE_TABLE
    path.write_text(ONE_TABLE.replace(old, new), encoding="utf-8")
    return read_lecture(path, PUBLISHED)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "gidaris2018-voc07det-rotnet",
            "gidaris2018-voc07det-rotnett",
            r"tables\.yaml: one, row 1\.1 \(Rotation\): .*'gidaris2018-voc07det-rotnett'; did you mean '.*-rotnet'\?",
        ),
        ("{mAP: gidaris", "{mAPs: gidaris", "published: unknown column 'mAPs'; did you mean 'mAP'"),
        ("[scratch]", "[scrach]", "footnotes: unknown 'scrach'; did you mean 'scratch'"),
        ("rotation.linear.top1", "rotation linear", "is not an alias"),
        (
            "rotation.linear.top1",
            "rotation.linear.top5",
            "is of another kind than the column; expected RUN.linear.top1",
        ),
        ("{top-1: rotation", "{mAP: rotation", r"nothing of ours is of this column's kind"),
        ("caption:", "captoin:", "unknown key; did you mean 'caption'"),
        ("part: A", "part: D", "part"),
        ("    slide: One\n", "", "slide: missing"),
        ("notes: []", "notes: [", "not valid YAML"),
    ],
)
def test_a_mistake_in_tables_yaml_is_one_line_that_names_it(tmp_path: Path, old: str, new: str, line: str) -> None:
    with pytest.raises(UserError, match=line) as error:
        read_with(tmp_path, old, new)
    assert "\n" not in str(error.value)


def test_a_key_that_stands_twice_in_published_csv_is_named(tmp_path: Path) -> None:
    lines = PUBLISHED.read_bytes().split(b"\r\n")
    path = tmp_path / "published.csv"
    path.write_bytes(b"\r\n".join([*lines[:3], lines[1], b""]))
    with pytest.raises(
        UserError, match=r"published\.csv:4: key: 'doersch2015-voc07det-relative-position' stands there"
    ):
        read_lecture(TABLES, path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.csv: not found"):
        read_lecture(TABLES, tmp_path / "absent.csv")


def test_an_alias_of_what_params_yaml_does_not_have_is_named(the_lecture: lecture.Lecture) -> None:
    aliases = [alias.split(".") for _, _, row in the_lecture.rows() for alias in row.measured.values()]
    runs, protocols = {alias[0] for alias in aliases}, {alias[-2] for alias in aliases}
    lecture.check_aliases(the_lecture, runs, protocols)
    with pytest.raises(UserError, match=r"row \d+\.17 \(Rotation\): .*'rotation'; did you mean 'rotations'\?"):
        lecture.check_aliases(the_lecture, runs - {"rotation"} | {"rotations"}, protocols)
    with pytest.raises(UserError, match=r"row \d+\.\d+ .*a protocol .* no 'linear'; did you mean 'linears'\?"):
        lecture.check_aliases(the_lecture, runs, protocols - {"linear"} | {"linears"})
