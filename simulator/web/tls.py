"""Certificates: the gateway's own self-signed one, and the cloud's, signed by an authority made for the run."""

import datetime as dt
import functools
import hashlib
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its private key, both as PEM."""

    certificate_pem: bytes
    key_pem: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate's DER form, lower-case hex without colons."""
        der = x509.load_pem_x509_certificate(self.certificate_pem).public_bytes(serialization.Encoding.DER)
        return hashlib.sha256(der).hexdigest()

    def make_server_context(self) -> ssl.SSLContext:
        """A server's TLS context as the gateways have it: TLS 1.2, no ALPN."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory() as folder:  # the ssl module reads keys from files only
            file = Path(folder) / "pair.pem"
            file.touch(mode=0o600)
            file.write_bytes(self.key_pem + self.certificate_pem)
            context.load_cert_chain(file)
        return context


@functools.cache
def _make_rsa_key(_generation: int) -> rsa.RSAPrivateKey:
    # Making one takes a noticeable part of a second; a test run starts hundreds of gateways.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encode_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _make_name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _make_builder(subject: str, issuer: str, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    start = dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_make_name(subject))
        .issuer_name(_make_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=365))
    )


def make_gateway_certificate(serial: str, generation: int = 0) -> Certificate:
    """The certificate that the device makes itself: subject and issuer `envoy-SERIAL`, one year, no names to verify.

    Args:
        serial: the gateway's serial.
        generation: another number gives another key, as after a renewal.
    """
    key = _make_rsa_key(generation)
    common_name = f"envoy-{serial}"
    signed = _make_builder(common_name, common_name, key).sign(key, hashes.SHA256())
    return Certificate(signed.public_bytes(serialization.Encoding.PEM), _encode_pem(key))


def make_cloud_certificates(host: str) -> tuple[bytes, Certificate]:
    """An authority's certificate (PEM) and a server certificate for `host` and `localhost` signed by it."""
    root_key, key = _make_rsa_key(-1), _make_rsa_key(-2)
    authority_name = "Envoy simulator authority"
    root = (
        _make_builder(authority_name, authority_name, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .add_extension(_make_usage(sign_certificates=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(host))]
    server = (
        _make_builder("localhost", authority_name, key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_make_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return (
        root.public_bytes(serialization.Encoding.PEM),
        Certificate(server.public_bytes(serialization.Encoding.PEM), _encode_pem(key)),
    )


def _make_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not sign_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
