"""Reading real media files: pictures by decord, sound by PyAV."""
