"""Which store of pictures the settings mean."""

from indexer.pictures.folder import Folder
from indexer.pictures.settings import PictureSettings
from indexer.pictures.storing import Store


def open_store(settings: PictureSettings) -> Store | None:
    """Return the store that the settings name; None when they name none. Nothing is connected yet."""
    if settings.bucket_url:
        from indexer.pictures.bucket import Bucket  # for an S3 client's library, which folders do without

        return Bucket(settings)
    return Folder(settings.folder) if settings.folder else None
