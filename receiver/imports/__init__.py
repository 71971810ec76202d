"""What other programs stored before, taken into the store beside what was measured and never over it.

- `orders`: what is wanted, and its rows
- `formats`: rows as readings
- `lines_file`, `csv_file`, `enlighten_file`: files, row by row
- `influx_source`: points of an InfluxDB by its address
- `work`: looks at what is stored, writes what is not
- `energies`: which imported energies may be taken
- `lock`: keeps an import and a running receiver apart
"""
