module envoy-relay/tests/influxd1

go 1.21

require github.com/influxdata/influxdb v1.8.3
