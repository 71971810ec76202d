# The images for every architecture: `docker buildx bake --push` with REGISTRY set, e.g. to registry.example.org/home.
#
# There is no arm/v7: msgspec and cffi, which the scraper needs, publish no wheels for it, and the images build nothing
# from source. A Raspberry Pi 3 or later with a 64-bit system runs the arm64 image.
variable "REGISTRY" {
  default = "localhost"
}
variable "VERSION" {
  default = "0.1.0"
}
variable "REVISION" {
  default = "unknown"
}
variable "SOURCE" { # address of the repository
  default = ""
}

group "default" {
  targets = ["scraper", "receiver", "simulator"]
}

target "image" {
  name       = part
  matrix     = { part = ["scraper", "receiver", "simulator"] }
  context    = "."
  dockerfile = "${part}/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args       = { VERSION = VERSION, REVISION = REVISION }
  labels     = { "org.opencontainers.image.source" = SOURCE }
  tags       = ["${REGISTRY}/envoy-${part}:${VERSION}", "${REGISTRY}/envoy-${part}:latest"]
}
