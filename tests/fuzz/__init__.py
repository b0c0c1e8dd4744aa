"""Fuzzing: what must hold for any bytes and any text, and where to begin looking.

``python tests/fuzz/fuzz_decoder.py -max_total_time=60 [CORPUS]`` runs libFuzzer through the package
``atheris``; ``tests/system/test_fuzz_seeds.py`` tries a few thousand fixed mutations without it.
"""
