"""Device bytes to plain values, one module per endpoint. Pure: no network, disk, clock or settings.

Every parser takes a document from `json_reply.load` and an optional `values.Notes` that collects what was refused,
missing or new. A reply of the wrong shape raises BadReplyError; a single bad field only loses that field.
"""
