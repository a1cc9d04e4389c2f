"""Pieces of a text export that begin with an empty row, wherever they stand in it, from one pass over its bytes."""

import re

EMPTY = re.compile(rb"\n(?=[ \t;,|\"]*\r?\n[^\n])")  # the end of the line before an empty row that another row follows
LONGEST = 1 << 10  # bytes of an empty row


class Gaps:
    """Feed it the chunks of a file, then ask for `found`: (physical line of the empty row, the whole lines from there
    on, at most `size` bytes of them) for the first ones and, where there are more than `most`, the last one."""

    def __init__(self, size: int, most: int):
        self.size, self.most = size, most
        self.text, self.line = b"\n", 0  # a file may begin with an empty row
        self.found: list[tuple[int, bytes]] = []

    def feed(self, chunk: bytes, is_last: bool = False) -> None:
        """The next bytes; nothing is held but what the next ones may go on with."""
        self.text += chunk
        end, at = len(self.text) if is_last else max(0, len(self.text) - self.size - LONGEST), 0
        for match in EMPTY.finditer(self.text):
            if match.start() >= end:
                break
            self.line += self.text.count(b"\n", at, match.end())
            at = match.end()
            piece = self.text[at:at + self.size]
            del self.found[self.most - 1:]
            self.found.append((self.line, piece if len(piece) < self.size else piece[:piece.rfind(b"\n") + 1]))
        self.line += self.text.count(b"\n", at, end)
        self.text = self.text[end:]
