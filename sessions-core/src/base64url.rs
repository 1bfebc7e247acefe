//! base64url without padding (RFC 4648 §5), for arrays of known length: no allocation, one text per value.

/// The longest text here: 48 bytes of a token.
const LONGEST: usize = 64;
const INVALID: u8 = 0xff;

/// Encodes `N` bytes as exactly `M` characters. `M` must be the unpadded length of `N` bytes.
pub(crate) fn encode<const N: usize, const M: usize>(bytes: &[u8; N]) -> [u8; M] {
    const { assert!(M == text_len(N)) };
    let mut text = [0; M];
    let (groups, rest) = bytes.as_chunks::<6>();
    let (outs, rest_out) = text.as_chunks_mut::<8>();
    for (group, out) in groups.iter().zip(outs) {
        *out = sextets(*group);
    }
    let mut group = [0; 6];
    group[..rest.len()].copy_from_slice(rest);
    rest_out.copy_from_slice(&sextets(group)[..rest_out.len()]);
    for value in &mut text {
        *value = character(*value);
    }
    text
}

/// Decodes the canonical text of `N` bytes; `None` for any other length, alphabet or non-zero trailing bits.
///
/// Every character is looked at, whatever stands before it: one test at the end is faster than one each.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    const { assert!(text_len(N) <= LONGEST) };
    if text.len() != text_len(N) {
        return None;
    }
    let mut values = [b'A'; LONGEST];
    values[..text.len()].copy_from_slice(text);
    let mut seen = 0;
    for character in &mut values {
        *character = value(*character);
        seen |= *character;
    }

    let mut bytes = [0; N];
    let (groups, _) = values.as_chunks::<8>();
    let (outs, rest_out) = bytes.as_chunks_mut::<6>();
    let mut groups = groups.iter().map(|group| octets(*group));
    for (out, group) in outs.iter_mut().zip(&mut groups) {
        *out = group;
    }
    let last = groups.next().unwrap_or_default();
    let (last, beyond) = last.split_at(rest_out.len());
    rest_out.copy_from_slice(last);
    let is_canonical = beyond.iter().all(|&byte| byte == 0);
    (seen & !63 == 0 && is_canonical).then_some(bytes)
}

/// The 48 bits of six bytes, six in each of eight bytes.
const fn sextets(group: [u8; 6]) -> [u8; 8] {
    let [a, b, c, d, e, f] = group;
    let bits = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let bits = (bits << 8) & 0x00ff_ffff_0000_0000 | bits & 0x00ff_ffff;
    let bits = (bits << 4) & 0x0fff_0000_0fff_0000 | bits & 0x0000_0fff_0000_0fff;
    let bits = (bits << 2) & 0x3f00_3f00_3f00_3f00 | bits & 0x003f_003f_003f_003f;
    bits.to_be_bytes()
}

/// The other way.
const fn octets(group: [u8; 8]) -> [u8; 6] {
    let bits = u64::from_be_bytes(group);
    let bits = (bits & 0x3f00_3f00_3f00_3f00) >> 2 | bits & 0x003f_003f_003f_003f;
    let bits = (bits & 0x0fff_0000_0fff_0000) >> 4 | bits & 0x0000_0fff_0000_0fff;
    let bits = (bits & 0x00ff_ffff_0000_0000) >> 8 | bits & 0x00ff_ffff;
    let [_, _, bytes @ ..] = bits.to_be_bytes();
    bytes
}

/// The character of six bits. Neither this nor [`value`] branches or looks anything up: the time they take tells nothing of
/// a secret, and the compiler makes vector instructions of sixteen at a time.
const fn character(value: u8) -> u8 {
    if_in(value, 0, 25, value + b'A')
        | if_in(value, 26, 51, value.wrapping_add(b'a' - 26))
        | if_in(value, 52, 61, value.wrapping_sub(4))
        | if_in(value, 62, 62, b'-')
        | if_in(value, 63, 63, b'_')
}

/// The six bits of a character; more than six for what is none.
const fn value(character: u8) -> u8 {
    let valid = if_in(character, b'A', b'Z', INVALID)
        | if_in(character, b'a', b'z', INVALID)
        | if_in(character, b'0', b'9', INVALID)
        | if_in(character, b'-', b'-', INVALID)
        | if_in(character, b'_', b'_', INVALID);
    if_in(character, b'A', b'Z', character.wrapping_sub(b'A'))
        | if_in(character, b'a', b'z', character.wrapping_sub(b'a' - 26))
        | if_in(character, b'0', b'9', character.wrapping_add(4))
        | if_in(character, b'-', b'-', 62)
        | if_in(character, b'_', b'_', 63)
        | !valid
}

/// `result` if `byte` is from `first` to `last`, else 0.
const fn if_in(byte: u8, first: u8, last: u8, result: u8) -> u8 {
    let is_in = byte.wrapping_sub(first) <= last - first;
    (is_in as u8).wrapping_neg() & result
}

const fn text_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
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
