//! The number of shards of each level, the number of entries that a level is for, and the shard of a hash.

/// Bits of a hash that name a shard, by level.
pub const SHARD_BITS: [u32; 3] = if cfg!(loom) { [1, 2, 3] } else { [2, 5, 10] };
/// How many entries a table may have at a level. With more it gets the next level.
pub const MAX_ENTRIES: [usize; 3] = if cfg!(loom) {
    [2, 4, usize::MAX]
} else {
    [4, 32, usize::MAX]
};
/// The number of the level with the most shards.
pub const LAST_LEVEL: usize = SHARD_BITS.len() - 1;

/// How many shards a level has.
pub const fn count(level: usize) -> usize {
    1 << SHARD_BITS[level]
}

/// The number of the shard that a key of this hash is in: by bits that hashbrown uses neither for the place in a table
/// (the lowest) nor for its tag (the top seven).
pub fn shard_of(hash: u64, level: usize) -> usize {
    ((hash << 7) >> (64 - SHARD_BITS[level])) as usize
}
