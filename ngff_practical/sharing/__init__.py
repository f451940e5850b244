"""What others need to see an image on S3: whether a stranger's browser reaches it, and links that open it."""

from ngff_practical.sharing.links import ViewerLink, viewer_links, web_address
from ngff_practical.sharing.stranger import Reach, reach

__all__ = ["Reach", "ViewerLink", "reach", "viewer_links", "web_address"]
