"""What the notebooks need around the lesson: S3, a data box, a folder, exercises and how far one has come."""

from ngff_practical.course.blank import ____
from ngff_practical.course.databox import DataBox, data_box
from ngff_practical.course.keys import ask_for_keys
from ngff_practical.course.lessons import Lesson, lesson, progress
from ngff_practical.course.setting import connect, preflight, workspace

__all__ = [
    "DataBox",
    "Lesson",
    "____",
    "ask_for_keys",
    "connect",
    "data_box",
    "lesson",
    "preflight",
    "progress",
    "workspace",
]
