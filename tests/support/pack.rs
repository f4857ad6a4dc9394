//! Builds containers in memory: archives, compressed files, packages, documents.

use std::io::Write;

/// What a member of a zip archive is packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflated,
    /// The bit that says so is set; the data is as it is.
    Encrypted,
    /// Sizes stand behind the data.
    Streamed,
}

fn crc(data: &[u8]) -> u32 {
    crc32fast::hash(data)
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(data).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(data).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(data).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(data).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn xz(data: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("memory");
    packer.write_all(data).expect("memory");
    packer.finish().expect("memory")
}

pub(crate) fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(crate) fn lz4(data: &[u8]) -> Vec<u8> {
    let mut packer = lz4_flex::frame::FrameEncoder::new(Vec::new());
    packer.write_all(data).expect("memory");
    packer.finish().expect("memory")
}

/// A zip archive with a directory at its end.
pub(crate) fn zip(members: &[(&str, &[u8], Method)]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, data, method) in members {
        let at = archive.len() as u32;
        let (number, packed) = match method {
            Method::Stored | Method::Encrypted => (0_u16, data.to_vec()),
            Method::Deflated | Method::Streamed => (8, deflate(data)),
        };
        let flags: u16 = match method {
            Method::Encrypted => 1,
            Method::Streamed => 8,
            Method::Stored | Method::Deflated => 0,
        };
        let sizes = [crc(data), packed.len() as u32, data.len() as u32];
        let local = if *method == Method::Streamed { [0; 3] } else { sizes };
        let fixed = |out: &mut Vec<u8>, sizes: [u32; 3]| {
            for field in [20, flags, number, 0, 0] {
                out.extend_from_slice(&field.to_le_bytes());
            }
            sizes.iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
            out.extend_from_slice(&(name.len() as u16).to_le_bytes());
            out.extend_from_slice(&[0, 0]);
        };
        archive.extend_from_slice(b"PK\x03\x04");
        fixed(&mut archive, local);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(&packed);
        if *method == Method::Streamed {
            archive.extend_from_slice(b"PK\x07\x08");
            sizes.iter().for_each(|field| archive.extend_from_slice(&field.to_le_bytes()));
        }
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        fixed(&mut directory, sizes);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (at, len, count) = (archive.len() as u32, directory.len() as u32, members.len() as u16);
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&count.to_le_bytes());
    archive.extend_from_slice(&count.to_le_bytes());
    archive.extend_from_slice(&len.to_le_bytes());
    archive.extend_from_slice(&at.to_le_bytes());
    archive.extend_from_slice(&[0, 0]);
    archive
}

/// A zip archive of deflated members.
pub(crate) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<_> = members.iter().map(|&(name, data)| (name, data, Method::Deflated)).collect();
    zip(&members)
}

/// A POSIX tar archive; long names in GNU's way.
pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, data) in members {
        if name.len() > 100 {
            tar_entry(&mut archive, b'L', "././@LongLink", name.as_bytes());
        }
        tar_entry(&mut archive, b'0', &name[..name.len().min(100)], data);
    }
    archive.extend_from_slice(&[0; 1024]);
    archive
}

fn tar_entry(archive: &mut Vec<u8>, kind: u8, name: &str, data: &[u8]) {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend_from_slice(&header);
    archive.extend_from_slice(data);
    archive.resize(archive.len().div_ceil(512) * 512, 0);
}

/// An ar archive, as Debian packages are.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, data) in members {
        archive.extend_from_slice(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", data.len()).as_bytes(),
        );
        archive.extend_from_slice(data);
        archive.resize(archive.len().div_ceil(2) * 2, b'\n');
    }
    archive
}

/// A cpio archive in the new ASCII form.
pub(crate) fn cpio(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, data) in members.iter().copied().chain([("TRAILER!!!", &b""[..])]) {
        let fields = [0, 0o100_644, 0, 0, 1, 0, data.len(), 0, 0, 0, 0, name.len() + 1, 0];
        archive.extend_from_slice(b"070701");
        fields.iter().for_each(|field| archive.extend_from_slice(format!("{field:08x}").as_bytes()));
        archive.extend_from_slice(name.as_bytes());
        archive.push(0);
        archive.resize(archive.len().div_ceil(4) * 4, 0);
        archive.extend_from_slice(data);
        archive.resize(archive.len().div_ceil(4) * 4, 0);
    }
    archive
}

/// An RPM package with `texts` in its header.
pub(crate) fn rpm(texts: &[u8], members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut package = vec![0xed, 0xab, 0xee, 0xdb];
    package.resize(96, 0);
    let mut header = |data: &[u8], align: usize| {
        package.extend_from_slice(&[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        package.extend_from_slice(&(data.len() as u32).to_be_bytes());
        package.extend_from_slice(data);
        package.resize(package.len().div_ceil(align) * align, 0);
    };
    header(b"signature", 8);
    header(texts, 1);
    package.extend_from_slice(&gzip(&cpio(members)));
    package
}

/// A PDF document with one page that shows `text`, cut into pieces.
pub(crate) fn pdf(text: &str) -> Vec<u8> {
    let middle = text.len() / 2;
    let page = format!("BT /F1 12 Tf 72 700 Td [({}) -12 ({})] TJ ET", &text[..middle], &text[middle..]);
    let packed = zlib(page.as_bytes());
    let mut document = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n4 0 obj\n".to_vec();
    document.extend_from_slice(
        format!("<< /Length {} /Filter /FlateDecode >>\nstream\n", packed.len()).as_bytes(),
    );
    document.extend_from_slice(&packed);
    document.extend_from_slice(b"\nendstream\nendobj\n%%EOF\n");
    document
}
