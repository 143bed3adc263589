//! The smallest PDF files that are real: pages of lines in one font, plain or packed by a few repeated bytes.

use std::fmt::Write as _;

/// The instructions of a page that shows `lines`.
pub(super) fn page(lines: &[&str]) -> Vec<u8> {
    let shown: Vec<String> = lines.iter().map(|line| format!("({line}) Tj T*")).collect();
    let shown = shown.join(" ");
    let text = format!("BT /F1 12 Tf 72 720 Td 14 TL {shown} ET");
    stream("", text.as_bytes())
}

/// The instructions `start`, then `repeated` over and over, compressed: 258 bytes of them for each of `times`. `repeated`
/// has six bytes: that is what the packing below knows how to repeat.
pub(super) fn packed(start: &[u8], repeated: [u8; 6], times: usize) -> Vec<u8> {
    let literals = [start, &repeated[..]].concat();
    let mut plain = literals.clone();
    for at in 0..times * 258 {
        plain.push(repeated[at % 6]);
    }
    let mut bits = Bits::default();
    // One last block with the fixed codes of RFC 1951.
    bits.low_first(0b011, 3);
    for byte in literals {
        assert!(byte < 144, "the short literals");
        bits.high_first(0x30 + u32::from(byte), 8);
    }
    for _ in 0..times {
        bits.high_first(0b1100_0101, 8);
        bits.high_first(4, 5);
        bits.low_first(1, 1);
    }
    bits.high_first(0, 7);
    let zlib = [&[0x78, 0x9c], &bits.bytes[..], &adler(&plain).to_be_bytes()].concat();
    stream("/Filter /FlateDecode", &zlib)
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn bit(&mut self, bit: u32) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        let last = self.bytes.last_mut().expect("a byte");
        *last |= u8::from(bit & 1 == 1) << (self.count % 8);
        self.count += 1;
    }

    fn low_first(&mut self, value: u32, bits: u32) {
        (0..bits).for_each(|at| self.bit(value >> at));
    }

    fn high_first(&mut self, value: u32, bits: u32) {
        (0..bits).rev().for_each(|at| self.bit(value >> at));
    }
}

fn adler(bytes: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = bytes.iter().fold((1, 0), step);
    b << 16 | a
}

/// Any instructions.
pub(super) fn stream(filter: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} {filter} >>\nstream\n", bytes.len());
    [head.as_bytes(), bytes, b"\nendstream"].concat()
}

/// A file with pages of these instructions.
pub(super) fn file(pages: &[Vec<u8>]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len())
        .map(|at| format!("{} 0 R", 5 + 2 * at))
        .collect();
    let kids = kids.join(" ");
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()).into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    for (at, page) in pages.iter().enumerate() {
        objects.push(page.clone());
        let leaf = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            4 + 2 * at
        );
        objects.push(leaf.into_bytes());
    }
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (at, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).expect("to a string");
        file.extend(format!("{} 0 obj\n", at + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    file.extend(table.bytes());
    let size = objects.len() + 1;
    file.extend(
        format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").bytes(),
    );
    file
}
