"""The command line: parse, one library call, print, exit code. Only this package prints."""
