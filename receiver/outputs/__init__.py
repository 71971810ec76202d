"""What the receiver gives to other programs by itself: one supervised task for each configured output.

`outputs` starts them and hands over what was stored; `driver` brings a durable output up to date slice by slice, with
`progress` as its memory and `progress_file` as the memory of that. An output never delays what comes in.
"""
