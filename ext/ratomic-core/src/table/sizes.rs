//! How many shards a table has at each of its levels, for how many entries, and which shard a hash belongs to.

/// Bits of a hash that name a shard, by level.
pub const BITS: [u32; 3] = if cfg!(loom) { [1, 2, 3] } else { [2, 5, 10] };
/// How many entries a level is for.
pub const MOST: [usize; 3] = if cfg!(loom) {
    [2, 4, usize::MAX]
} else {
    [4, 32, usize::MAX]
};
pub const LAST: usize = BITS.len() - 1;

/// How many shards a level has.
pub const fn count(level: usize) -> usize {
    1 << BITS[level]
}

/// The number of the shard that a key of this hash is in: by bits that hashbrown uses neither for the place in a table
/// (the lowest) nor for its tag (the top seven).
pub fn shard_of(hash: u64, level: usize) -> usize {
    ((hash << 7) >> (64 - BITS[level])) as usize
}
