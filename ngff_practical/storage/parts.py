"""Large objects in parts: sent four at a time, gone on with after a sudden end, and never half there."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ngff_practical.model import Location
from ngff_practical.storage.crew import Crew
from ngff_practical.storage.etags import plain_etag
from ngff_practical.storage.exact import botocore_client, failures
from ngff_practical.storage.patience import Patience

if TYPE_CHECKING:
    from botocore.client import BaseClient

_AT_ONCE = 4
_FAILURES = failures()


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload that was begun, and neither completed nor aborted: its parts take up space."""

    key: str
    upload_id: str
    begun: datetime


def open_uploads(place: Location, *, patience: Patience | None = None) -> tuple[OpenUpload, ...]:
    """Return the unfinished multipart uploads at and below a place, oldest first; keys are relative to it.

    Without `patience` a network that is away is told within seconds.

    Raises
    ------
    AccessError
        These credentials may not list them.
    """
    with botocore_client(place, place.key, doing="list", patience=patience) as client:
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket, Prefix=place.key)

        def attempt() -> list[OpenUpload]:
            found = []
            for page in pages:
                for item in page.get("Uploads", ()):
                    key = str(item["Key"])
                    if not place.key or key == place.key or key.startswith(f"{place.key}/"):
                        relative = key[len(place.key) :].removeprefix("/")
                        found.append(OpenUpload(relative, str(item["UploadId"]), item["Initiated"]))
            return found

        uploads = patience.run(attempt, _FAILURES) if patience else attempt()
    return tuple(sorted(uploads, key=lambda upload: upload.begun))


def abort_uploads(
    place: Location, uploads: Iterable[OpenUpload], *, patience: Patience | None = None
) -> None:
    """Give up multipart uploads found by `open_uploads` for the same place; their parts are deleted."""
    for upload in uploads:
        path = "/".join(part for part in (place.key, upload.key) if part)
        with botocore_client(place, path, doing="delete", patience=patience) as client:
            target = {"Bucket": place.bucket, "Key": path, "UploadId": upload.upload_id}
            _abort(client, target, patience)


def _abort(client: BaseClient, target: dict[str, str], patience: Patience | None) -> None:
    def attempt() -> None:
        client.abort_multipart_upload(**target)

    with suppress(client.exceptions.NoSuchUpload):  # given up by an attempt whose answer got lost, say
        if patience:
            patience.run(attempt, _FAILURES)
        else:
            attempt()


def send_parts(
    place: Location,
    path: str,
    parts: Callable[[], Iterator[bytes]],
    *,
    overwrite: bool,
    patience: Patience,
    crew: Crew | None = None,
) -> str | None:
    """Store one object in parts under a key of the place's bucket, and return its ETag.

    An upload that was cut off earlier is gone on with where all of its parts are parts of this object.
    Each part carries its MD5, which the server checks. Where `parts` raises, or a part fails for good, the
    upload is aborted and nothing of it stays. The threads that send them stop with the `crew`.

    Raises
    ------
    ExistsError
        The key is taken and `overwrite` is False.
    """
    with botocore_client(place, path, doing="write", patience=patience) as client:
        sending = _Sending(client, {"Bucket": place.bucket, "Key": path}, patience)
        sending.find_begun(parts)
        try:
            with crew.team(_AT_ONCE) if crew else Crew(_AT_ONCE) as team:
                return sending.run(parts, team, create_only=not overwrite)
        except BaseException as error:
            sending.abort(patient=not isinstance(error, BotoCoreError))  # nobody there: waited for already
            raise


class _Sending:
    def __init__(self, client: BaseClient, target: dict[str, str], patience: Patience) -> None:
        self._client = client
        self._target = target
        self._patience = patience
        self._there: dict[int, str] = {}

    def find_begun(self, parts: Callable[[], Iterator[bytes]]) -> None:
        """Take up an upload that was cut off, else begin one."""
        for upload_id in self._begun():
            there = self._parts_of(upload_id)
            if there and _are_parts(there, parts()):
                self._target["UploadId"], self._there = upload_id, there
                return
        self._target["UploadId"] = self._do(
            lambda: _stated(self._client.create_multipart_upload(**self._target), "UploadId")
        )

    def run(self, parts: Callable[[], Iterator[bytes]], team: Crew, *, create_only: bool) -> str | None:
        etags: dict[int, str] = {}

        def missing() -> Iterator[tuple[int, bytes, bytes]]:
            for number, piece in enumerate(parts(), 1):
                digest = hashlib.md5(piece, usedforsecurity=False)
                if self._there.get(number) == digest.hexdigest():
                    etags[number] = digest.hexdigest()
                else:
                    yield number, piece, digest.digest()

        for (number, _, _), etag in team.each(missing(), lambda part: self._send(*part), lambda _: 0):
            etags[number] = etag
        return self._complete(etags, create_only=create_only)

    def abort(self, *, patient: bool) -> None:
        with suppress(*_FAILURES):
            _abort(self._client, self._target, self._patience if patient else None)

    def _send(self, number: int, piece: bytes, digest: bytes) -> str:
        stated = self._do(
            lambda: _stated(
                self._client.upload_part(
                    **self._target, PartNumber=number, Body=piece, ContentMD5=b64encode(digest).decode()
                ),
                "ETag",
            )
        )
        return plain_etag(stated) or ""

    def _complete(self, etags: dict[int, str], *, create_only: bool) -> str | None:
        listed = [{"PartNumber": number, "ETag": f'"{etags[number]}"'} for number in sorted(etags)]
        guard = {"IfNoneMatch": "*"} if create_only else {}
        attempts = 0

        def attempt() -> str | None:
            nonlocal attempts
            attempts += 1
            try:
                answer = self._client.complete_multipart_upload(
                    **self._target, MultipartUpload={"Parts": listed}, **guard
                )
            except self._client.exceptions.NoSuchUpload:
                if attempts == 1:
                    raise
                # completed by an attempt whose answer got lost: the caller compares what is there
                answer = self._client.head_object(Bucket=self._target["Bucket"], Key=self._target["Key"])
            return plain_etag(answer.get("ETag"))

        return self._do(attempt)

    def _begun(self) -> list[str]:
        try:
            answer = self._do(
                lambda: self._client.list_multipart_uploads(
                    Bucket=self._target["Bucket"], Prefix=self._target["Key"]
                )
            )
        except (ClientError, ResponseParserError):  # not everybody may list them, and not every server can
            return []
        found = [item for item in answer.get("Uploads", ()) if item["Key"] == self._target["Key"]]
        found.sort(key=lambda item: item["Initiated"], reverse=True)
        return [str(item["UploadId"]) for item in found]

    def _parts_of(self, upload_id: str) -> dict[int, str]:
        pages = self._client.get_paginator("list_parts").paginate(**self._target, UploadId=upload_id)

        def attempt() -> dict[int, str]:
            return {
                int(part["PartNumber"]): plain_etag(part["ETag"]) or ""
                for page in pages
                for part in page.get("Parts", ())
            }

        try:
            return self._do(attempt)
        except ClientError:  # it has just been completed or aborted by whoever began it
            return {}

    def _do[T](self, attempt: Callable[[], T]) -> T:
        return self._patience.run(attempt, _FAILURES)


def _stated(answer: Mapping[str, object], name: str) -> str:
    """Return what S3's answers hold; one without it is none of S3's, though it says that all is well."""
    if name not in answer:
        raise ResponseParserError(f"there is no {name}")
    return str(answer[name])


def _are_parts(there: dict[int, str], parts: Iterator[bytes]) -> bool:
    """Return True where the listed parts, by number and MD5, are all parts of the object."""
    matching = 0
    for number, piece in enumerate(parts, 1):
        if number in there:
            if hashlib.md5(piece, usedforsecurity=False).hexdigest() != there[number]:
                return False
            matching += 1
        if matching == len(there):
            return True
    return False
