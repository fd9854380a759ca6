"""Settings of uploaded pictures: where they are kept, and how large they may be."""

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from catalog.core.settings import FROM_ENVIRONMENT


class PictureSettings(BaseSettings):
    """Read from the environment; every field has one variable."""

    model_config = FROM_ENVIRONMENT

    folder: str = Field(
        default="",
        validation_alias="PICTURES_FOLDER",
        description="Folder of uploaded pictures; all processes of the API must share it. `make run` sets it to `.thmanyah/pictures`. Without a folder and a bucket, nothing can be uploaded.",
    )
    bucket_url: str = Field(
        default="",
        pattern=r"^(https?://[^/?#\s@]+(/[\w.~-]+)+)?$",
        validation_alias="PICTURES_BUCKET_URL",
        description="Address of a bucket of a server that speaks S3, instead of a folder, such as `https://s3.eu-central-1.amazonaws.com/pictures`; what follows the bucket begins the names.",
    )
    bucket_region: str = Field(
        default="us-east-1", validation_alias="PICTURES_BUCKET_REGION", description="Region of the bucket."
    )
    bucket_key_id: str = Field(
        default="",
        validation_alias="PICTURES_BUCKET_KEY_ID",
        description="Id of a key that may read and write objects of the bucket.",
    )
    bucket_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias="PICTURES_BUCKET_SECRET", description="The key's secret."
    )
    timeout: float = Field(
        default=10,
        gt=0,
        validation_alias="PICTURES_TIMEOUT",
        description="Seconds that the bucket's server may send nothing; a whole picture may take three times as long.",
    )
    max_bytes: int = Field(
        default=5_000_000,
        ge=1000,
        le=50_000_000,
        validation_alias="PICTURES_MAX_BYTES",
        description="Largest picture, in bytes.",
    )

    @model_validator(mode="after")
    def _is_one_place(self) -> "PictureSettings":
        if self.folder and self.bucket_url:
            raise ValueError("set PICTURES_FOLDER or PICTURES_BUCKET_URL, not both")
        if self.bucket_url and not (self.bucket_key_id and self.bucket_secret.get_secret_value()):
            raise ValueError("PICTURES_BUCKET_URL needs PICTURES_BUCKET_KEY_ID and PICTURES_BUCKET_SECRET")
        return self
