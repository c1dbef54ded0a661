#!/usr/bin/python3
"""It goes on after shutdown."""

from sound_toru1 import Toru1, main


class Broken(Toru1):
    def shutdown(self):
        print("not now", flush=True)


main(Broken())
