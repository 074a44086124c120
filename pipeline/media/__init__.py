"""Reading real media files: films and sound by PyAV, stills by Pillow."""
