# The images for every architecture: `make images REGISTRY=registry.example.org/home`, which reads VERSION from
# shared/version.py.
#
# There is no arm/v7: msgspec and cffi, which the scraper needs, publish no wheels for it, and the images build nothing
# from source. A Raspberry Pi 3 or later with a 64-bit system runs the arm64 image.
variable "REGISTRY" {
  default = "localhost"
}
variable "VERSION" {
  default = "unknown"
}
variable "REVISION" {
  default = "unknown"
}
variable "SOURCE" { # the address of the repository
  default = ""
}

group "default" {
  targets = ["scraper", "receiver", "simulator"]
}

target "image" {
  name      = program
  matrix    = { program = ["scraper", "receiver", "simulator"] }
  context   = "."
  target    = program
  platforms = ["linux/amd64", "linux/arm64"]
  args      = { VERSION = VERSION, REVISION = REVISION }
  labels    = { "org.opencontainers.image.source" = SOURCE }
  tags      = ["${REGISTRY}/envoy-${program}:${VERSION}", "${REGISTRY}/envoy-${program}:latest"]
}
