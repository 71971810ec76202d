"""The calendar of a time zone: local times, windows and their labels. Pure.

- `local`: local days and clocks
- `windows`: the windows that roll-ups keep, their finer windows, and the length of any window
- `boundaries`: where windows begin
- `labels`: the columns that describe a window in an answer
"""
