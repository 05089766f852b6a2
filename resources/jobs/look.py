"""Looks at files where only commands can be run; the text is the same for every look.

    python3 look.py QUESTION

The question is a JSON file, which is removed when it has been read. It names folders to walk,
small texts to read, and files whose bytes to read from beginning to end. The answer is one
line of JSON. Names travel in it alone: no shell reads them, and it is ASCII whatever they
are made of. Nothing is written, and no link is followed.
"""

import hashlib
import json
import os
import stat
import sys
import time

BLOCK_BYTES = 8 << 20
MAX_TEXT_BYTES = 1 << 22
MAX_FILES = 200000


def to_bytes(name):
    return name.encode("utf-8", "surrogateescape")


def to_text(name):
    return name.decode("utf-8", "surrogateescape")


def open_regular(path):
    """Open a regular file; a pipe or a device is none and never waited for."""
    handle = os.open(to_bytes(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(22, "is no regular file")
    return handle


def walk(root):
    """Sizes of the regular files below a folder, by their path in it."""
    found = []
    folders = [to_bytes(root)]
    if stat.S_ISLNK(os.lstat(folders[0]).st_mode):
        raise OSError(40, "is a link")
    start = len(folders[0]) + 1
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    size_bytes = entry.stat(follow_symlinks=False).st_size
                    found.append([to_text(entry.path[start:]), size_bytes])
                if len(found) > MAX_FILES:
                    raise OSError(7, "holds too many files")
    return sorted(found)


def text(path):
    """A small file as text."""
    handle = open_regular(path)
    with os.fdopen(handle, "rb") as file:
        data = file.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        raise OSError(27, "is too long")
    return data.decode("utf-8", "replace")


def read(path):
    """Size and SHA-256 of a file's bytes; one that changes meanwhile is no file to speak of."""
    handle = open_regular(path)
    with os.fdopen(handle, "rb", buffering=0) as file:
        before = os.fstat(handle)
        digest = hashlib.sha256()
        while True:
            block = file.read(BLOCK_BYTES)
            if not block:
                break
            digest.update(block)
        after = os.fstat(handle)
    if (before.st_size, before.st_mtime) != (after.st_size, after.st_mtime):
        raise OSError(11, "changes while it is read")
    return [before.st_size, digest.hexdigest()]


def answer(look, paths, until):
    """What a look finds, by path: a value, nothing where nothing is, or why it cannot be said.

    After its time it looks at no further path; those are not in the answer.
    """
    found = {}
    for path in paths:
        if found and time.time() > until:
            break
        try:
            found[path] = {"found": look(path)}
        except (FileNotFoundError, NotADirectoryError):
            found[path] = {"found": None}
        except OSError as error:
            found[path] = {"error": str(error.strerror)}
    return found


def main():
    with open(sys.argv[1], encoding="ascii") as file:  # noqa: PTH123 (a login node's Python)
        question = json.load(file)
    os.unlink(sys.argv[1])  # noqa: PTH108
    if question["version"] != 1:
        sys.exit("this question is of another version")
    until = time.time() + question["within_s"]
    found = {
        "folders": answer(walk, question["folders"], until + 3600),
        "texts": answer(text, question["texts"], until + 3600),
        "files": answer(read, question["files"], until),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
