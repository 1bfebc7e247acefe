//! base64url without padding (RFC 4648 §5), for arrays of known length: no allocation, one text per value.

use std::fmt;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const INVALID: u8 = 0xff;
const DECODE: [u8; 256] = decode_table();

/// Encodes `N` bytes as exactly `M` characters. `M` must be the unpadded length of `N` bytes.
pub(crate) fn encode<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    const { assert!(M == text_len(N)) };
    let mut text = [0; M];
    for (group, out) in bytes.chunks(3).zip(text.chunks_mut(4)) {
        let bits = group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for (at, character) in out.iter_mut().enumerate() {
            *character = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
        }
    }
    text
}

/// Decodes the canonical text of `N` bytes; `None` for any other length, alphabet or non-zero trailing bits.
///
/// Every character is looked at, whatever stands before it: one test at the end is faster than one each.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != text_len(N) {
        return None;
    }
    let mut bytes = [0; N];
    let mut seen = 0;
    let (groups, rest) = text.as_chunks::<4>();
    let (outs, rest_out) = bytes.as_chunks_mut::<3>();
    for (group, out) in groups.iter().zip(outs) {
        *out = decode_group(group, &mut seen);
    }
    if !rest.is_empty() {
        let mut group = [ALPHABET[0]; 4];
        group[..rest.len()].copy_from_slice(rest);
        let all = decode_group(&group, &mut seen);
        let (out, beyond) = all.split_at(rest_out.len());
        rest_out.copy_from_slice(out);
        if beyond.iter().any(|&byte| byte != 0) {
            return None;
        }
    }
    (seen & !63 == 0).then_some(bytes)
}

/// Three bytes from four characters. `seen` collects the bits of their values: an invalid character sets more than six.
fn decode_group(group: &[u8; 4], seen: &mut u8) -> [u8; 3] {
    let [a, b, c, d] = group.map(|character| DECODE[usize::from(character)]);
    *seen |= a | b | c | d;
    let [_, bytes @ ..] = (u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d)).to_be_bytes();
    bytes
}

/// Writes the text of 16 bytes: 22 characters.
pub(crate) fn display(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text: [u8; 22] = encode(bytes);
    f.pad(std::str::from_utf8(&text).unwrap_or_default())
}

const fn text_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

const fn decode_table() -> [u8; 256] {
    let mut table = [INVALID; 256];
    let mut at = 0;
    while at < ALPHABET.len() {
        #[expect(clippy::cast_possible_truncation, reason = "at < 64")]
        let value = at as u8;
        table[ALPHABET[at] as usize] = value;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, without padding.
    #[test]
    fn rfc_4648_vectors() {
        assert_eq!(&encode::<1, 2>(b"f"), b"Zg");
        assert_eq!(&encode::<2, 3>(b"fo"), b"Zm8");
        assert_eq!(&encode::<3, 4>(b"foo"), b"Zm9v");
        assert_eq!(&encode::<6, 8>(b"foobar"), b"Zm9vYmFy");
        assert_eq!(&encode::<3, 4>(&[0xfb, 0xff, 0xfe]), b"-__-");
        assert_eq!(decode::<6>(b"Zm9vYmFy"), Some(*b"foobar"));
    }

    #[test]
    fn every_two_character_text_decodes_to_one_byte_or_nothing() {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                let text = [first, second];
                if let Some(byte) = decode::<1>(&text) {
                    assert_eq!(encode::<1, 2>(&byte), text);
                }
            }
        }
    }
}
