"""Reading real media files: films and sound by PyAV, a few frames of a film by decord, stills by Pillow."""
