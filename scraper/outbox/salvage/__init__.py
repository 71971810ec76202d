"""What is sound in a damaged outbox file goes on in a new file. A reader of the outbox may skip this folder."""
