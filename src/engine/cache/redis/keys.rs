//! Keys: what a caller's key is called in Redis, and which names this cache keeps for itself.

/// Names that begin like this are ours, whatever the prefix: dictionaries, leases, fences.
/// They never match a prefix that does not begin with `@hotpath/` itself.
pub const RESERVED: &[u8] = b"@hotpath/";

/// The keys of one cache.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: Vec<u8>,
}

impl Keys {
    /// Keys with this prefix.
    pub fn new(prefix: Vec<u8>) -> Self {
        Self { prefix }
    }

    /// What stands before every key.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The name of a key in Redis.
    pub fn name(&self, key: &[u8]) -> Vec<u8> {
        [&self.prefix, key].concat()
    }

    /// The caller's key of a name in Redis; none if the name is not this cache's.
    pub fn key<'a>(&self, name: &'a [u8]) -> Option<&'a [u8]> {
        if self.prefix.is_empty() && name.starts_with(RESERVED) {
            return None;
        }
        name.strip_prefix(self.prefix.as_slice())
    }

    /// A name for our own use about a key, or about the whole cache for an empty key. Names of
    /// different purposes and one key fall into one slot of a cluster, because a slot is chosen
    /// by what stands in braces; the `k` keeps that from being empty.
    pub fn reserved(&self, purpose: &str, key: &[u8]) -> Vec<u8> {
        let purpose = purpose.as_bytes();
        [RESERVED, purpose, b"/{k:", &self.prefix, key, b"}"].concat()
    }

    /// A name for our own use that falls into the same slot of a cluster as `name`: what stands
    /// between its first braces decides, or all of it where there are none. None for names with
    /// braces that decide nothing, which no other name can be made to follow.
    pub fn beside(&self, purpose: &str, name: &[u8]) -> Option<Vec<u8>> {
        let decides = match name.iter().position(|&byte| byte == b'{') {
            Some(open) => {
                let length = name[open + 1..].iter().position(|&byte| byte == b'}')?;
                Some(&name[open + 1..][..length])
            }
            None => Some(name).filter(|name| !name.contains(&b'}')),
        };
        let decides = decides.filter(|part| !part.is_empty())?;
        Some([RESERVED, purpose.as_bytes(), b"/{", decides, b"}", name].concat())
    }

    /// A pattern of Redis for all names of this cache whose key begins with `literal`.
    pub fn pattern(&self, literal: &[u8]) -> Vec<u8> {
        let mut pattern = Vec::with_capacity(self.prefix.len() + literal.len() + 1);
        for &byte in self.prefix.iter().chain(literal) {
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'^' | b'\\') {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_are_inverse() {
        let keys = Keys::new(b"app:".to_vec());
        assert_eq!(keys.name(b"user"), b"app:user");
        assert_eq!(keys.key(b"app:user"), Some(&b"user"[..]));
        assert_eq!(keys.key(b"other:user"), None);
    }

    #[test]
    fn without_a_prefix_our_own_names_are_nobodys_keys() {
        let keys = Keys::new(Vec::new());
        assert_eq!(keys.key(b"anything"), Some(&b"anything"[..]));
        assert_eq!(keys.key(&keys.reserved("records", b"")), None);
    }

    #[test]
    fn patterns_take_the_prefix_literally() {
        let keys = Keys::new(b"a*[x]?^\\:".to_vec());
        assert_eq!(keys.pattern(b"u*"), br"a\*\[x\]\?\^\\:u\**");
    }

    #[test]
    fn names_beside_others_follow_them_into_their_slot() {
        let keys = Keys::new(Vec::new());
        assert_eq!(keys.beside("load", b"a:b").unwrap(), b"@hotpath/load/{a:b}a:b");
        assert_eq!(
            keys.beside("load", b"a{x}b{y}").unwrap(),
            b"@hotpath/load/{x}a{x}b{y}"
        );
        for name in [&b""[..], b"a}b", b"a{}b", b"a{b"] {
            assert_eq!(keys.beside("load", name), None);
        }
    }

    #[test]
    fn reserved_names_of_one_key_share_their_slot() {
        let tag = |name: &[u8]| {
            let open = name.iter().position(|&byte| byte == b'{').unwrap();
            let length = name[open + 1..].iter().position(|&byte| byte == b'}').unwrap();
            name[open + 1..][..length].to_vec()
        };
        let keys = Keys::new(b"p{}".to_vec());
        for key in [&b""[..], b"}", b"{a}b", b"plain"] {
            let lease = tag(&keys.reserved("lease", key));
            assert!(!lease.is_empty());
            assert_eq!(lease, tag(&keys.reserved("fence", key)));
        }
    }
}
