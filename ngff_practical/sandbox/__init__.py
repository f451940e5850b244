"""A real S3 server on this computer, for practice: nobody else sees it, and it forgets all when it stops."""

from ngff_practical.sandbox.faults import Fault
from ngff_practical.sandbox.handle import Learner, Sandbox
from ngff_practical.sandbox.lifecycle import ensure, running, start, stop

__all__ = ["Fault", "Learner", "Sandbox", "ensure", "running", "start", "stop"]
