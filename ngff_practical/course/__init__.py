"""What the notebooks need around the lesson: the S3 to work with, a data box, and a folder to write to."""

from ngff_practical.course.databox import DataBox, data_box
from ngff_practical.course.setting import connect, workspace

__all__ = ["DataBox", "connect", "data_box", "workspace"]
