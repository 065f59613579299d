"""Ground floor: atomic files, run manifests, progress on stderr. Knows nothing about recommendation."""
