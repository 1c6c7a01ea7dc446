//! The key that made an OpenPGP signature (RFC 4880, 5.2).

/// The number of the key in hexadecimal digits, where the signature names it.
pub(super) fn key_id(signature: &[u8]) -> Option<String> {
    let body = body(signature)?;
    let id: &[u8] = match body.first()? {
        3 => body.get(7..15)?,
        4 => {
            let (hashed, rest) = sized(body.get(4..)?)?;
            let (unhashed, _) = sized(rest)?;
            issuer(hashed).or_else(|| issuer(unhashed))?
        }
        _ => return None,
    };
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What is in the packet.
fn body(packet: &[u8]) -> Option<&[u8]> {
    let (first, rest) = packet.split_first()?;
    let (length, rest) = match first {
        // Packets of the new form say their length as subpackets do.
        0xc2 => length(rest)?,
        0x88 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x89 => (usize::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?)), rest.get(2..)?),
        0x8a => (u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize, rest.get(4..)?),
        _ => return None,
    };
    rest.get(..length)
}

/// A part with its length in two bytes, and what follows.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?));
    bytes.get(2..)?.split_at_checked(length)
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes.first()? {
        first @ 0..192 => Some((usize::from(first), bytes.get(1..)?)),
        255 => Some((u32::from_be_bytes(bytes.get(1..5)?.try_into().ok()?) as usize, bytes.get(5..)?)),
        first => {
            let second = usize::from(*bytes.get(1)?);
            Some(((usize::from(first) - 192) * 256 + second + 192, bytes.get(2..)?))
        }
    }
}

/// The subpacket that names the key.
fn issuer(mut subpackets: &[u8]) -> Option<&[u8]> {
    while !subpackets.is_empty() {
        let (length, rest) = length(subpackets)?;
        let (subpacket, rest) = rest.split_at_checked(length)?;
        if let [16 | 0x90, id @ ..] = subpacket
            && id.len() == 8
        {
            return Some(id);
        }
        subpackets = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_named() {
        let old = [0x88, 15, 3, 5, 0, 1, 2, 3, 4, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11];
        assert_eq!(key_id(&old).as_deref(), Some("0a0b0c0d0e0f1011"));
        let new = [0x89, 0, 20, 4, 0, 1, 8, 0, 2, 1, 5, 0, 10, 9, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9];
        assert_eq!(key_id(&new).as_deref(), Some("0102030405060708"));
        for length in 0..new.len() {
            let _ = key_id(&new[..length]);
        }
        assert_eq!(key_id(&[0xc2, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
