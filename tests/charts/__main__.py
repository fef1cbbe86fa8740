"""Runs all tests of the charts; its last line says how many passed and failed, as cargo's does."""

import pathlib
import sys
import unittest

import helm

folder = pathlib.Path(__file__).parent
print(f"by {helm.version()}")
result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(unittest.defaultTestLoader.discover(str(folder)))
failed = len({test.id().partition(" ")[0] for test, _ in result.failures + result.errors})
print(f"test result: {'ok' if failed == 0 else 'FAILED'}. {result.testsRun - failed} passed; {failed} failed")
sys.exit(failed > 0)
