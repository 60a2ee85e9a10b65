"""The logs of a case's daemon."""
import os


def log_of(daemon, name):
    return os.path.join(daemon.directory, "l", f"{name}.log")


def text_of(path):
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""
