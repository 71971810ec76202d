"""`/info`: the identity of the device. It is the only XML document and the only one without a login."""

from simulator.gateway.device import Device

_PACKAGES = (
    ("rootfs", "500-00001-r01", "02.00.00", "1210"),
    ("kernel", "500-00011-r02", "04.04.225", "3eb4d3"),
    ("boot", "590-00019-r01", "02.00.01", "1f421b"),
    ("app", "500-00002-r01", "", "f79c8d"),
    ("devimg", "500-00005-r01", "01.02.371", "373aab"),
    ("geo", "500-00008-r01", "02.01.24", "a74d96"),
    ("backbone", "500-00010-r01", "07.00.20", "176d57"),
    ("meter", "500-00013-r01", "03.02.08", "eaa252"),
    ("agf", "500-00012-r01", "02.02.00", "40061a"),
    ("security", "500-00016-r01", "02.00.00", "54a6dc"),
)


def render_info(device: Device) -> bytes:
    """The XML document as this firmware writes it."""
    profile = device.profile
    tokens = "  <web-tokens>true</web-tokens>\n" if profile.uses_tokens else ""
    application = ".".join(f"{part:02d}" for part in profile.version)
    packages = "".join(
        f"  <package name='{name}'>\n    <pn>{number}</pn>\n    <version>{version or application}</version>\n"
        f"    <build>{build}</build>\n  </package>\n"
        for name, number, version, build in _PACKAGES
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<envoy_info>
  <time>{device.read_second()}</time>
  <device>
    <sn>{device.serial}</sn>
    <pn>{profile.part_number}</pn>
    <software>{profile.firmware}</software>
    <euaid>4c8675</euaid>
    <seqnum>0</seqnum>
    <apiver>1</apiver>
    <imeter>{str(profile.metered).lower()}</imeter>
  </device>
{tokens}{packages}  <build_info>
    <build_id>envoy-simulator-build:pkg-Jun-22-23-18:55:22</build_id>
    <build_time_gmt>1687460237</build_time_gmt>
  </build_info>
</envoy_info>
""".encode()
