"""Where content-addressed files lie. No client text ever becomes part of a path."""


def artifact_path(tenant_id: int, sha256: str) -> str:
    """Return the storage path of an artefact."""
    return f"artifacts/{tenant_id}/{sha256[:2]}/{sha256}"


def dataset_path(tenant_id: int, sha256: str) -> str:
    """Return the storage path of a dataset."""
    return f"datasets/{tenant_id}/{sha256}.parquet"
