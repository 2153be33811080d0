"""The command line: one module per command, each imported only when it is called.

Commands read what was asked for, refuse it with everything that is wrong with it or hand it to the floors below, and
say what came out. They import those floors inside their functions, so that asking for help costs nothing.
"""
