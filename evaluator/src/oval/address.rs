//! Addresses of the Internet Protocol and ranges of them (OVAL 5.11, `ipv4_address` and `ipv6_address`).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address with the bits that count of it; all of them: one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Addresses {
    /// The address, with 0 in the bits that do not count.
    network: u128,
    prefix: u32,
    width: u32,
}

impl Addresses {
    /// An IPv4 address: alone, with a number of bits, or with a mask.
    pub(super) fn v4(text: &str) -> Option<Self> {
        let (address, bits) = split(text);
        let address: Ipv4Addr = address.parse().ok()?;
        let prefix = match bits {
            None => 32,
            Some(bits) if bits.contains('.') => {
                let mask = u32::from(bits.parse::<Ipv4Addr>().ok()?);
                // A mask has its ones in front.
                (mask.leading_ones() + mask.trailing_zeros() >= 32).then_some(mask.leading_ones())?
            }
            Some(bits) => bits.parse().ok()?,
        };
        Self::of(u32::from(address).into(), prefix, 32)
    }

    /// An IPv6 address: alone, or with a number of bits.
    pub(super) fn v6(text: &str) -> Option<Self> {
        let (address, bits) = split(text);
        let address: Ipv6Addr = address.parse().ok()?;
        Self::of(address.into(), bits.map_or(Some(128), |bits| bits.parse().ok())?, 128)
    }

    fn of(address: u128, prefix: u32, width: u32) -> Option<Self> {
        let host_bits = width.checked_sub(prefix)?;
        let network = address.checked_shr(host_bits).unwrap_or(0).checked_shl(host_bits).unwrap_or(0);
        Some(Self { network, prefix, width })
    }

    pub(super) fn is_v4(&self) -> bool {
        self.width == 32
    }

    /// How many bits count.
    pub(super) fn prefix(&self) -> u32 {
        self.prefix
    }

    /// Whether all of the other addresses are among these.
    pub(super) fn contains(&self, other: &Self) -> bool {
        other.prefix >= self.prefix
            && Self::of(other.network, self.prefix, self.width).is_some_and(|o| o.network == self.network)
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.network) {
            Ok(network) if self.is_v4() => write!(f, "{}/{}", Ipv4Addr::from(network), self.prefix),
            _ => write!(f, "{}/{}", Ipv6Addr::from(self.network), self.prefix),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let v4 = |text| Addresses::v4(text).unwrap();
        assert!(v4("10.0.0.0/8").contains(&v4("10.9.8.7")));
        assert!(!v4("10.9.8.7").contains(&v4("10.0.0.0/8")));
        assert_eq!(v4("10.1.2.3/255.255.0.0"), v4("10.1.0.0/16"));
        assert!(v4("0.0.0.0/0").contains(&v4("255.1.1.1")));
        assert!(Addresses::v6("::/0").unwrap().contains(&Addresses::v6("fe80::1").unwrap()));
        for bad in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/255.0.255.0", "1.2.3.4/x", "::1"] {
            assert_eq!(Addresses::v4(bad), None, "{bad}");
        }
    }
}
