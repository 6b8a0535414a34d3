//! A key with its value, as it lies in a shard.

#[derive(Clone, Copy)]
pub struct Pair<K, V> {
    pub hash: u64,
    pub key: K,
    pub value: V,
}
